"""Asks a held call whether it still lives, where nothing else would notice that its peer is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sip.events import CallState
from sip.exchange import TimerHandle

if TYPE_CHECKING:
    from sip.call import Call
    from sip.message import Response

#: Seconds between two questions.
EVERY_S = 60.0


class Heartbeat:
    """OPTIONS inside the call (RFC 3261 11) while it is on hold, so that no sound is due, and no session timer runs.

    Any answer is a sign of life but 481 and 408; those, and silence, end the call.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._timer: TimerHandle | None = None

    def start(self) -> None:
        self._timer = self._call.clock.call_later(EVERY_S, self._beat)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _beat(self) -> None:
        call = self._call
        if call.session.direction == "sendrecv" or call.negotiation.timer.agreement is not None:
            self.start()
        else:
            call.client.send("OPTIONS", self._heard)

    def _heard(self, response: Response | None) -> None:
        if self._call.state is not CallState.CONFIRMED:
            return
        if response is None or response.status in (408, 481):
            self._call.fail("the held peer no longer knows the call" if response else "the held peer does not answer")
        else:
            self.start()
