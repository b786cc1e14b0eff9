"""What happens to a call, as its user sees it; and the stream those events come in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from sip.sdp import Direction

if TYPE_CHECKING:
    from sip.call import Call

log = logging.getLogger("sip")

#: Events kept per call. Beyond it only the end is told: a peer that floods us with digits learns nothing.
MAX_EVENTS = 2000


class CallState(StrEnum):
    TRYING = "trying"
    RINGING = "ringing"
    EARLY = "early"
    CONFIRMED = "confirmed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Ringing:
    """The far end rings (180, 181, 182) or says there will be something to hear (183)."""

    status: int


@dataclass(frozen=True, slots=True)
class EarlyMedia:
    """Sound before the answer: ringback or a carrier's announcement. Nobody has answered yet."""


@dataclass(frozen=True, slots=True)
class Answered:
    pass


@dataclass(frozen=True, slots=True)
class Dtmf:
    """One of 0-9 * # A-D, from telephone events or INFO."""

    digit: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Held:
    """The peer changed the direction of the audio; `direction` is what is left to us."""

    direction: Direction


@dataclass(frozen=True, slots=True)
class Resumed:
    pass


@dataclass(frozen=True, slots=True)
class TransferRequested:
    """The peer asks us to call `target` (a URI) in its place: `accept_transfer` or `decline_transfer`, soon.

    `replaces` names the call that we shall take over at the target (RFC 3891); None: a blind transfer.
    """

    target: str
    replaces: str | None


@dataclass(frozen=True, slots=True)
class Replaced:
    """`by` has taken the place of this call (RFC 3891) and is answered already; this one ends now. Go on with `by`."""

    by: Call


@dataclass(frozen=True, slots=True)
class Ended:
    """Always the last event, exactly once.

    `status` is the final SIP status where the call never stood; `q850` and `sip_cause` are the causes in a Reason
    field (RFC 3326) and `cause_text` its words; `retry_after_s` how long the peer wants to be left alone.
    """

    by: Literal["local", "remote", "error"]
    status: int | None
    reason: str
    q850: int | None = None
    sip_cause: int | None = None
    cause_text: str = ""
    retry_after_s: int | None = None


CallEvent = Ringing | EarlyMedia | Answered | Dtmf | Held | Resumed | TransferRequested | Replaced | Ended


class EventStream:
    """Every reader sees every event from the first on, whenever it begins to read."""

    def __init__(self) -> None:
        self._events: list[CallEvent] = []
        self._news = asyncio.Event()
        #: Called with each event as it happens; what it raises is logged.
        self.on_event: Callable[[CallEvent], None] | None = None
        #: The same for a part of this library that has an interest in the call.
        self.follower: Callable[[CallEvent], None] | None = None

    def tell(self, event: CallEvent) -> None:
        if len(self._events) >= MAX_EVENTS and not isinstance(event, Ended):
            return
        self._events.append(event)
        self._news.set()
        self._news = asyncio.Event()
        for listener in (self.follower, self.on_event):
            if listener is not None:
                try:
                    listener(event)
                except Exception:
                    log.exception("the listener of a call failed")

    async def read(self) -> AsyncIterator[CallEvent]:
        """Ends after `Ended`."""
        position = 0
        while True:
            while position < len(self._events):
                event = self._events[position]
                position += 1
                yield event
                if isinstance(event, Ended):
                    return
            await self._news.wait()
