"""Transfers inside a call (RFC 3515, 3891, 3892, 4488): we send the peer elsewhere, or it sends us."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sip.errors import CallStateError, SipParseError
from sip.events import Answered, CallEvent, CallState, Ended, Ringing, TransferRequested
from sip.exchange import Incoming, TimerHandle
from sip.message import Response
from sip.message.message import REASONS
from sip.replaces import ReferTo, frag_status

if TYPE_CHECKING:
    from sip.call import Call

#: Seconds the user has to accept a transfer that the peer asks for; then it is declined.
DECIDE_WITHIN_S = 5.0
#: Seconds for which we promise to report on a transfer we carry out (RFC 3515 section 2.4.4).
SUBSCRIBED_S = 180


@dataclass(frozen=True, slots=True)
class TransferResult:
    """How a transfer went: the last status the peer reported, or that of its refusal; 408: it never said."""

    status: int
    reason: str

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300


class Referral:
    """We have asked the peer to call somebody else. States: asked, accepted, told; `result` is the last of them."""

    def __init__(self, call: Call, timeout_s: float) -> None:
        self._call, self._timeout_s = call, timeout_s
        self.result: asyncio.Future[TransferResult] = asyncio.get_running_loop().create_future()
        self._is_accepted = False
        self._limit = call.clock.call_later(timeout_s + call.timing.patience, self._give_up)

    def ask(self, target: ReferTo) -> None:
        fields = [("Refer-To", str(target)), ("Referred-By", f"<{self._call.local.uri.without_headers()}>")]
        headers = [*fields, self._call.contact_field()]
        self._call.client.send("REFER", self._on_response, headers=headers)

    def on_notify(self, incoming: Incoming) -> None:
        """A report (RFC 3515 section 2.4.5). It may come before the 202 does."""
        request = incoming.request
        if request.content_type != "message/sipfrag" or (told := frag_status(request.body)) is None:
            incoming.respond(request.reply(415 if request.body else 400, headers=[("Accept", "message/sipfrag")]))
            return
        incoming.respond(request.reply(200))
        state = (request.headers.get("Subscription-State") or "").partition(";")[0].strip().lower()
        if told[0] >= 200:
            self._settle(*told)
        elif state == "terminated":
            self._settle(500, "the peer stopped reporting")

    def on_end(self) -> None:
        """The call is over: a peer that left after it agreed has gone where it was sent."""
        if self._is_accepted:
            self._settle(202, "the peer left to the new call")
        else:
            self._settle(487, "the call ended before the transfer")

    def _on_response(self, response: Response | None) -> None:
        if response is None:
            self._settle(408, "no answer to the REFER")
        elif response.status >= 300:
            self._settle(response.status, response.reason)
        else:
            self._is_accepted = True
            self._limit.cancel()
            if (response.headers.get("Refer-Sub") or "").strip().lower().startswith("false"):
                self._settle(response.status, response.reason)  # RFC 4488: it will not report
            else:
                self._limit = self._call.clock.call_later(self._timeout_s, self._give_up)

    def _give_up(self) -> None:
        self._settle(408, "no report on the transfer came")

    def _settle(self, status: int, reason: str) -> None:
        self._limit.cancel()
        if not self.result.done():
            self.result.set_result(TransferResult(status, reason))


class Errand:
    """The peer has asked us to call somebody else: undecided, then accepted (we report) or declined."""

    def __init__(self, call: Call, incoming: Incoming, target: ReferTo, *, is_first: bool) -> None:
        self.target = target
        self.is_decided = False
        self.is_over = False
        self._call, self._incoming = call, incoming
        request = incoming.request
        self._reports = (request.headers.get("Refer-Sub") or "").strip().lower() != "false"
        self.referred_by = request.headers.get("Referred-By")
        self._told: list[int] = []
        self._sent = 0
        # Only the first subscription of a call may go without a number (RFC 3515 section 2.4.6); some know no other.
        self._event = "refer" if is_first else f"refer;id={request.cseq.number}"
        self._limit: TimerHandle = call.clock.call_later(DECIDE_WITHIN_S, lambda: self.decline(603))

    def decline(self, status: int) -> None:
        if not self.is_decided:
            self._decided(status)
            self.is_over = True

    def accept(self) -> None:
        quiet = [] if self._reports else [("Refer-Sub", "false")]
        self._decided(202, [*quiet, self._call.contact_field()])
        self._report(100)

    def follow(self, event: CallEvent) -> None:
        """How the new call goes, told to who asked for it."""
        match event:
            case Ringing(status):
                self._report(status)
            case Answered():
                self._report(200)
            case Ended():
                self._report(event.status if event.status and event.status >= 300 else 487)

    def stop(self) -> None:
        self.is_over = True
        self._limit.cancel()

    def _decided(self, status: int, headers: Sequence[tuple[str, str]] = ()) -> None:
        self.is_decided = True
        self._limit.cancel()
        self._incoming.respond(self._incoming.request.reply(status, headers=headers))

    def _report(self, status: int) -> None:
        """Reports go one after the other: on their way two could change places."""
        if self.is_over or status in self._told:
            return
        self._told.append(status)
        self.is_over = status >= 200
        if self._reports and len(self._told) - self._sent == 1:
            self._send()

    def _send(self) -> None:
        if self._sent == len(self._told) or self._call.state is not CallState.CONFIRMED:
            return
        status = self._told[self._sent]
        state = "terminated;reason=noresource" if status >= 200 else f"active;expires={SUBSCRIBED_S}"
        fields = [("Event", self._event), ("Subscription-State", state), self._call.contact_field()]
        fields.append(("Content-Type", "message/sipfrag;version=2.0"))
        body = f"SIP/2.0 {status} {REASONS.get(status, 'Unknown')}\r\n".encode()
        self._call.client.send("NOTIFY", lambda response: self._sent_one(), headers=fields, body=body)

    def _sent_one(self) -> None:
        self._sent += 1
        self._send()


class Transfers:
    """Both kinds for one call, one of each at a time."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._ours: Referral | None = None
        self._theirs: Errand | None = None

    async def refer(self, target: ReferTo, timeout_s: float) -> TransferResult:
        """Bounded: `timeout_s` after the peer agreed, or when nobody answers the REFER."""
        if self._ours is not None:
            raise CallStateError("a transfer is under way already")
        self._ours = Referral(self._call, timeout_s)
        try:
            self._ours.ask(target)
            return await self._ours.result
        finally:
            self._ours = None

    def on_notify(self, incoming: Incoming) -> None:
        event = (incoming.request.headers.get("Event") or "").partition(";")[0].strip().lower()
        if event != "refer":
            incoming.respond(incoming.request.reply(489, headers=[("Allow-Events", "refer")]))
        elif self._ours is None:
            incoming.respond(incoming.request.reply(481))
        else:
            self._ours.on_notify(incoming)

    def on_refer(self, incoming: Incoming) -> None:
        request = incoming.request
        try:
            target = ReferTo.of(request.headers)
        except SipParseError as error:
            incoming.respond(request.reply(400, error.reason[:80]))
            return
        if self._theirs is not None and not self._theirs.is_over:
            incoming.respond(request.reply(491))
            return
        self._theirs = Errand(self._call, incoming, target, is_first=self._theirs is None)
        replaces = str(target.replaces) if target.replaces else None
        self._call.tell(TransferRequested(str(target.uri), replaces))

    def accept(self) -> tuple[Errand, list[tuple[str, str]]]:
        """Agree to the transfer asked of us; with the header fields its INVITE needs. CallStateError: none is asked."""
        asked = self._undecided()
        asked.accept()
        headers = [("Replaces", str(asked.target.replaces))] if asked.target.replaces else []
        who = asked.referred_by
        return asked, [*headers, *([("Referred-By", who)] if who else [])]

    def decline(self, status: int) -> None:
        self._undecided().decline(status)

    def stop(self) -> None:
        """The call has ended."""
        if self._ours is not None:
            self._ours.on_end()
        if self._theirs is not None:
            self._theirs.decline(481)
            self._theirs.stop()

    def _undecided(self) -> Errand:
        if self._theirs is None or self._theirs.is_decided:
            raise CallStateError("no transfer is asked of us")
        return self._theirs
