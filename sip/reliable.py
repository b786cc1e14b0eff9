"""Provisional responses that must arrive (RFC 3262): ours until their PRACK comes, the peer's in their order."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable

from sip.exchange import Clock
from sip.message import Request, Response
from sip.repeat import RepeatUntilAck
from sip.transaction import Timing

_RACK = re.compile(r"\s*(\d{1,10})\s+(\d{1,10})\s+(\S+)\s*")
_RSEQ = re.compile(r"\s*(\d{1,10})\s*")


def wants_reliable(invite: Request) -> bool:
    """The caller requires every provisional response but 100 to be reliable."""
    return any(word.strip().lower() == "100rel" for word in invite.headers.elements("Require"))


class ReliableResponses:
    """Ours to one INVITE: one at a time, repeated until acknowledged; `give_up` when nobody ever does."""

    def __init__(
        self,
        clock: Clock,
        timing: Timing,
        first: int,
        send: Callable[[int, int, bytes], None],
        give_up: Callable[[], None],
    ) -> None:
        """`send(status, rseq, body)` puts one on the wire; `first` is a random RSeq below 2**31."""
        self._clock, self._timing, self._send, self._give_up = clock, timing, send, give_up
        self._rseq = first
        self._queue: deque[tuple[int, bytes]] = deque()
        self._current: RepeatUntilAck | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    def send(self, status: int, body: bytes = b"") -> None:
        self._queue.append((status, body))
        self._idle.clear()
        if self._current is None:
            self._next()

    def is_awaited(self, prack: Request) -> bool:
        """A PRACK means the one that is waiting; any other gets 481."""
        match = _RACK.fullmatch(prack.headers.get("RAck") or "")
        return self._current is not None and match is not None and int(match.group(1)) == self._rseq

    def acknowledged(self) -> None:
        """The PRACK of the one that is waiting has been answered."""
        if self._current is not None:
            self._current.stop()
            self._current = None
            self._rseq += 1
            self._next()

    async def settled(self) -> None:
        """Wait until every one is acknowledged, or `stop`."""
        await self._idle.wait()

    def stop(self) -> None:
        self._queue.clear()
        if self._current is not None:
            self._current.stop()
            self._current = None
        self._idle.set()

    def _next(self) -> None:
        if not self._queue:
            self._idle.set()
            return
        status, body = self._queue.popleft()
        rseq = self._rseq
        # RFC 3262 section 3: the interval doubles without the ceiling T2.
        self._current = RepeatUntilAck(
            self._clock,
            self._timing,
            lambda: self._send(status, rseq, body),
            self._give_up,
            ceiling=self._timing.patience,
        )


class ReceivedInOrder:
    """The peer's, of one dialog."""

    def __init__(self) -> None:
        self._last: int | None = None

    @staticmethod
    def is_reliable(response: Response) -> bool:
        required = response.headers.elements("Require")
        return "RSeq" in response.headers and any(word.strip().lower() == "100rel" for word in required)

    def rack(self, response: Response) -> str | None:
        """The RAck for a reliable response that is the next one; None: a copy, or out of order."""
        match = _RSEQ.fullmatch(response.headers.get("RSeq") or "")
        if match is None or not self.is_reliable(response):
            return None
        rseq = int(match.group(1))
        if self._last is not None and rseq != self._last + 1:
            return None
        self._last = rseq
        return f"{rseq} {response.cseq}"
