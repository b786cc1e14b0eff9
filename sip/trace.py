"""The ladder of each call: which message went which way when. Bounded, for people who look for a fault."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from sip.message import Message, Request
from sip.transport import Hop

MAX_CALLS = 500
MAX_STRANGERS = 50
MAX_MESSAGES_PER_CALL = 100


@dataclass(frozen=True, slots=True)
class Rung:
    """One message. `at` is the clock's seconds, `sent` our point of view, `peer` the other end of the hop."""

    at: float
    sent: bool
    peer: Hop
    message: Message

    def __str__(self) -> str:
        message = self.message
        what = message.method if isinstance(message, Request) else f"{message.status} {message.reason}"
        arrow = "──▶" if self.sent else "◀──"
        return f"{self.at:10.3f} {arrow} {self.peer!s:<20} {what} (CSeq {message.cseq})"


class Trace:
    """Keeps the newest MAX_CALLS ladders, and the first MAX_MESSAGES_PER_CALL messages of each.

    Messages of Call-IDs that nobody follows (scanners, OPTIONS) share MAX_STRANGERS places and push out no call.
    """

    def __init__(self) -> None:
        self._calls: OrderedDict[str, list[Rung]] = OrderedDict()
        self._strangers: OrderedDict[str, list[Rung]] = OrderedDict()

    def follow(self, call_id: str) -> None:
        """This Call-ID is a call of ours."""
        if call_id not in self._calls:
            self._calls[call_id] = self._strangers.pop(call_id, [])
            if len(self._calls) > MAX_CALLS:
                self._calls.popitem(last=False)

    def note(self, at: float, sent: bool, peer: Hop, message: Message) -> None:
        rungs = self._calls.get(message.call_id)
        if rungs is None:
            rungs = self._strangers.setdefault(message.call_id, [])
            if len(self._strangers) > MAX_STRANGERS:
                self._strangers.popitem(last=False)
        if len(rungs) < MAX_MESSAGES_PER_CALL:
            rungs.append(Rung(at, sent, peer, message))

    def rungs(self, call_id: str) -> tuple[Rung, ...]:
        return tuple(self._calls.get(call_id) or self._strangers.get(call_id) or ())

    def ladder(self, call_id: str) -> str:
        """One line per message, oldest first; "" for a call that is not known (any more)."""
        return "\n".join(map(str, self.rungs(call_id)))
