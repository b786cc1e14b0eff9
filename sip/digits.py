"""Digits on their way out: in the media (RFC 4733) or one INFO after the other."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal

from sip.dtmf_info import write_dtmf
from sip.exchange import TimerHandle

if TYPE_CHECKING:
    from sip.call import Call
    from sip.message import Response

How = Literal["rfc4733", "info", "auto"]
#: Seconds between two digits: those of the tone and a pause that a person would make.
GAP_S = 0.24


class Digits:
    """`auto` takes telephone events where they are agreed, else INFO where the peer knows it, else events."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._waiting: deque[str] = deque()
        self._is_busy = False
        self._gap: TimerHandle | None = None

    def send(self, digits: str, how: How) -> None:
        """ValueError for what is no digit."""
        if how == "info" or (how == "auto" and self._prefers_info()):
            for digit in digits:
                write_dtmf(digit)
            self._waiting.extend(digits)
            self._next()
        elif self._call.media is not None:
            self._call.media.send_dtmf(digits)

    def stop(self) -> None:
        self._waiting.clear()
        if self._gap is not None:
            self._gap.cancel()

    def _prefers_info(self) -> bool:
        agreed = self._call.session.agreed
        return agreed is not None and agreed.telephone_event is None and "INFO" in self._call.peer_allows

    def _next(self) -> None:
        if self._is_busy or not self._waiting:
            return
        self._is_busy = True
        headers, body = write_dtmf(self._waiting.popleft())
        self._call.client.send("INFO", self._sent, headers=headers, body=body)

    def _sent(self, response: Response | None) -> None:
        """A digit that was refused is lost; the next ones may still arrive."""
        if response is None:
            self._waiting.clear()
        self._gap = self._call.clock.call_later(GAP_S, self._ready)

    def _ready(self) -> None:
        self._is_busy = False
        self._next()
