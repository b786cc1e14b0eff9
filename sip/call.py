"""One INVITE session as its user sees it, and what calls of both directions have in common."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Literal

from sip.auth import Credentials, DigestClient
from sip.call_context import FOREIGN, CallContext, capabilities
from sip.dialog import Dialog
from sip.dialog_client import DialogClient
from sip.digits import Digits, How
from sip.dtmf_info import read_dtmf
from sip.errors import CallStateError
from sip.events import CallEvent, CallState, Dtmf, Ended, EventStream, Replaced
from sip.exchange import Clock, Incoming
from sip.heartbeat import Heartbeat
from sip.message import Headers, Message, NameAddr, Request, Response, Uri
from sip.negotiation import Negotiation
from sip.reason import Reason, reasons, retry_after_s
from sip.replaces import ReferTo, Replaces
from sip.session import Media, Session
from sip.transaction import Timing
from sip.transfer import TransferResult, Transfers
from sip.transport import Address, Hop

log = logging.getLogger("sip")

#: Seconds that `hangup` waits for the peer to agree before it stops listening.
HANGUP_WAIT_S = 4.0
NO_MEDIA = "no media came from the peer"
#: Q.850 "temporary failure": the call was not ended by anybody's wish.
FAILURE = 41
NORMAL_CLEARING = Reason("Q.850", 16)


class Call:
    """Use `events()` or `on_event` to follow it. Whatever goes wrong ends in an `Ended` event."""

    direction: Literal["in", "out"]

    def __init__(
        self,
        context: CallContext,
        call_id: str,
        local: NameAddr,
        remote: NameAddr,
        digest: DigestClient,
        hop: Hop | None,
    ) -> None:
        self.id = call_id
        self.state = CallState.TRYING
        self.headers = Headers()
        #: The last final response to our INVITE, for its Retry-After and the like.
        self.response: Response | None = None
        self.local, self.remote = local, remote
        #: Methods in the peer's last Allow field; empty where it never sent one.
        self.peer_allows: frozenset[str] = frozenset()
        #: The hop that the call came from or went to; None as long as the target's name is not resolved.
        self.hop = hop
        #: Where the peer was last heard from: requests to a private Contact behind a translator go there.
        self.flow: Hop | None = hop if self.direction == "in" else None
        self._context, self._endpoint = context, context.endpoint
        self._stream = EventStream()
        self._session = context.session()
        self.client = DialogClient(self._endpoint, context.name, digest, lambda: self.flow)
        self.negotiation = Negotiation(self, self._session, context.session_expires_s)
        self._transfers = Transfers(self)
        self._digits = Digits(self)
        self._heartbeat = Heartbeat(self)
        self._goodbye = asyncio.Event()
        context.calls[(self.id, self.local_tag)] = self
        self._endpoint.trace.follow(self.id)

    # For the user ----------------------------------------------------------------------------------

    @property
    def local_tag(self) -> str:
        return self.local.tag or ""

    @property
    def local_uri(self) -> str:
        return str(self.local.uri)

    @property
    def remote_uri(self) -> str:
        return str(self.remote.uri)

    @property
    def remote_target(self) -> str | None:
        """The peer's Contact, where requests inside the call go; None until there is a dialog."""
        return str(self.dialog.target) if self.dialog else None

    @property
    def media(self) -> Media | None:
        return self._session.media

    @property
    def session(self) -> Session:
        return self._session

    @property
    def dialog(self) -> Dialog | None:
        return self.client.dialog

    @property
    def is_on_hold(self) -> bool:
        """We hold the peer."""
        return self.negotiation.is_on_hold

    @property
    def on_event(self) -> Callable[[CallEvent], None] | None:
        return self._stream.on_event

    @on_event.setter
    def on_event(self, listener: Callable[[CallEvent], None] | None) -> None:
        self._stream.on_event = listener

    def events(self) -> AsyncIterator[CallEvent]:
        """All events from the beginning; ends after `Ended`. May be read by several readers."""
        return self._stream.read()

    def ring(self) -> None:
        """Incoming calls: tell the caller that it rings (180). CallStateError otherwise."""
        raise CallStateError("only an incoming call can ring")

    async def progress(self) -> None:
        """Incoming calls: open the media and let the caller hear it before the answer (183). CallStateError."""
        raise CallStateError("only an incoming call has early media of ours")

    async def answer(self) -> None:
        """Incoming calls: open the media and accept (200); media starts at once, or with the ACK of a late offer.

        Raises CallStateError where the caller has gone, SipError where no media port is free (the caller got 503).
        """
        raise CallStateError("only an incoming call can be answered")

    def reject(self, status: int, reason: str | None = None, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Incoming calls: refuse with 3xx-6xx. CallStateError once it is answered or over."""
        raise CallStateError("only an incoming call can be rejected")

    async def hangup(self, reason: str | None = None) -> None:
        """End the call whatever its state: CANCEL, a refusal or BYE. Returns within HANGUP_WAIT_S."""
        if self.state is not CallState.ENDED:
            self._leave(reason or "hung up")
        timer = self.clock.call_later(HANGUP_WAIT_S, self._goodbye.set)
        try:
            await self._goodbye.wait()
        finally:
            timer.cancel()
        if self.state is not CallState.ENDED:
            self._end(Ended("local", None, reason or "hung up"))

    async def hold(self) -> None:
        """Ask the peer to stop sending (sendonly: it may still hear us). Nothing happens where it is on hold already.

        RefusedError where the peer will not, and the call goes on as before; CallStateError where no call stands.
        """
        await self.negotiation.turn("sendonly")

    async def resume(self) -> None:
        """End `hold`. Raises as `hold` does."""
        await self.negotiation.turn("sendrecv")

    def send_dtmf(self, digits: str, how: How = "auto") -> None:
        """Send digits: telephone events (RFC 4733), INFO, or what the peer takes. CallStateError without media."""
        if self.media is None or self.state is CallState.ENDED:
            raise CallStateError("no media to send digits through")
        self._digits.send(digits, how)

    async def refer(self, target: str, *, replaces: Call | None = None, timeout_s: float = 30) -> TransferResult:
        """Send the peer to `target`, a sip or tel URI (RFC 3515); `replaces`: into the place that we hold there.

        Where it succeeds this call is hung up, unless the peer has left first; where it fails the call goes on.
        SipParseError for a URI that is none, CallStateError where no call stands or a transfer is under way.
        """
        where = ReferTo(Uri.parse(target), replaces.as_replaced() if replaces is not None else None)
        if self.state is not CallState.CONFIRMED:
            raise CallStateError(f"the call is {self.state}: nobody can be sent elsewhere")
        result = await self._transfers.refer(where, timeout_s)
        if result.succeeded and self.state is CallState.CONFIRMED:
            self._leave("transferred")
        return result

    def accept_transfer(
        self, *, credentials: Credentials | None = None, via: Hop | Address | None = None, ring_timeout_s: float = 45.0
    ) -> Call:
        """Agree to the last TransferRequested: call its target; the peer hears how that goes. The new call.

        The asking peer usually hangs up once the new call stands. CallStateError where nothing is asked of us.
        """
        errand, headers = self._transfers.accept()
        call = self._context.dial(
            str(errand.target.uri),
            from_uri=self.local_uri,
            headers=headers,
            credentials=credentials,
            via=via,
            ring_timeout_s=ring_timeout_s,
        )
        call.follow(errand.follow)
        return call

    def decline_transfer(self, status: int = 603) -> None:
        """Refuse the last TransferRequested; the call goes on. CallStateError where nothing is asked of us."""
        self._transfers.decline(status)

    # What the two directions do differently --------------------------------------------------------

    def _leave(self, reason: str) -> None:
        """Begin to end the call before or after it stands."""
        self._say_bye(reason)

    def _stand(self) -> None:
        """The call is answered."""
        self.state = CallState.CONFIRMED
        self._heartbeat.start()

    @property
    def first_answer_given(self) -> bool:
        """The first offer of the call has its answer, so that either side may make another one."""
        return self.state is CallState.CONFIRMED

    # In the dialog ---------------------------------------------------------------------------------

    def on_request(self, incoming: Incoming) -> None:
        """A request of the peer inside the dialog (RFC 3261 section 12.2.2)."""
        request, dialog = incoming.request, self.dialog
        if (
            dialog is None
            or request.from_.tag != dialog.remote.tag
            or (self.state is CallState.ENDED and request.method != "BYE")
        ):
            incoming.respond(request.reply(481))
        elif not dialog.accepts(request):
            incoming.respond(request.reply(500, "CSeq out of order", headers=[("Retry-After", "1")]))
        else:
            self.flow = incoming.hop
            self.hear(request)
            handlers = {"BYE": self._on_bye, "INVITE": self.negotiation.on_reinvite, "PRACK": self._on_prack}
            handlers |= {"UPDATE": self.negotiation.on_update, "INFO": self._on_info, "OPTIONS": self._on_options}
            handlers |= {"REFER": self._on_refer, "NOTIFY": self._transfers.on_notify}
            handlers.get(request.method, self._on_other)(incoming)

    def on_ack(self, ack: Request) -> None:
        if self.dialog is not None and ack.from_.tag == self.dialog.remote.tag:
            self.negotiation.on_ack(ack)

    def _on_bye(self, incoming: Incoming) -> None:
        incoming.respond(incoming.request.reply(200))
        self._end(ended_by_peer(incoming.request, None, "the peer hung up"))

    def _on_options(self, incoming: Incoming) -> None:
        incoming.respond(incoming.request.reply(200, headers=capabilities()))

    def _on_prack(self, incoming: Incoming) -> None:
        incoming.respond(incoming.request.reply(481))

    def _on_other(self, incoming: Incoming) -> None:
        status = 405 if incoming.request.method in FOREIGN else 501
        incoming.respond(incoming.request.reply(status, headers=capabilities()))

    def _on_refer(self, incoming: Incoming) -> None:
        if self.state is CallState.CONFIRMED:
            self._transfers.on_refer(incoming)
        else:
            incoming.respond(incoming.request.reply(603))

    def _on_info(self, incoming: Incoming) -> None:
        request = incoming.request
        pressed = read_dtmf(request)
        if pressed is None and request.body:
            incoming.respond(request.reply(415, headers=[("Accept", "application/dtmf-relay, application/dtmf")]))
            return
        incoming.respond(request.reply(200))
        if pressed is not None:
            self.tell(pressed)

    # For the parts of a call (negotiation, transfer, digits, user agent) ----------------------------

    @property
    def clock(self) -> Clock:
        return self._endpoint.clock

    @property
    def timing(self) -> Timing:
        return self._endpoint.timing

    @property
    def chance(self) -> random.Random:
        return self._context.chance

    def tell(self, event: CallEvent) -> None:
        self._stream.tell(event)

    def follow(self, follower: Callable[[CallEvent], None]) -> None:
        self._stream.follower = follower

    def hear(self, message: Message) -> None:
        """Note what the peer says it can do."""
        if allowed := message.headers.elements("Allow"):
            self.peer_allows = frozenset(method.strip().upper() for method in allowed)

    def contact_field(self) -> tuple[str, str]:
        user = self._context.contact_user or self.local.uri.user
        hop = self.hop or Hop("UDP", *self._endpoint.transport.address)
        asked = self.remote if self.direction == "out" else self.local  # what the Request-URI of the INVITE is
        secure = asked.uri.scheme == "sips" and hop.protocol == "TLS"
        return "Contact", self._context.contact(hop, user, secure=secure)

    def offer_fields(self) -> list[tuple[str, str]]:
        return capabilities()

    def as_replaced(self) -> Replaces:
        """This call as our peer knows it. CallStateError where it has no dialog."""
        if self.dialog is None or self.state is CallState.ENDED:
            raise CallStateError("the call whose place is to be taken does not stand")
        return Replaces(self.id, self.dialog.remote.tag or "", self.local_tag)

    def replace_by(self, call: Call) -> None:
        """`call` stands in our place now (RFC 3891)."""
        if self.state is not CallState.ENDED:
            self.tell(Replaced(call))
            self._leave("replaced")

    def fail(self, reason: str) -> None:
        """The call stands but cannot go on."""
        if self.state is not CallState.ENDED:
            self._say_bye(reason, Ended("error", None, reason))

    # Ending ----------------------------------------------------------------------------------------

    def _say_bye(self, reason: str, ended: Ended | None = None) -> None:
        """The call is over for us at once; the BYE takes its time."""
        self._end(ended or Ended("local", None, reason), wait=True)
        why = NORMAL_CLEARING if ended is None or ended.by != "error" else Reason("Q.850", FAILURE, reason[:80])
        self.client.send("BYE", lambda response: self._goodbye.set(), headers=[("Reason", str(why))])

    def _end(self, ended: Ended, *, wait: bool = False, lingers: bool = False) -> None:
        """Close the media and tell the user, once.

        `wait`: a BYE is still on its way. `lingers`: the ACK of our answer has yet to come.
        """
        if not wait:
            self._goodbye.set()
        if not lingers:
            self.forget()
        if self.state is CallState.ENDED:
            return
        self.state = CallState.ENDED
        self.negotiation.end()
        self._transfers.stop()
        self._digits.stop()
        self._heartbeat.stop()
        try:
            self._session.close()
        except Exception:
            log.exception("closing the media of call %s failed", self.id)
        self.tell(ended)

    def forget(self) -> None:
        """No message will find this call any more."""
        self.negotiation.forget()
        self._context.calls.pop((self.id, self.local_tag), None)

    # Small things ----------------------------------------------------------------------------------

    def _listen(self) -> None:
        """To what the media notices."""
        if self.media is not None:
            self.media.on_dtmf = lambda digit, duration_ms: self.tell(Dtmf(digit, duration_ms))
            self.media.on_silent = self._on_silence

    def _on_silence(self) -> None:
        """A call that only rings may be silent for as long as it likes."""
        if self.state is CallState.CONFIRMED:
            self.fail(NO_MEDIA)

    def __repr__(self) -> str:
        return f"<Call {self.id} {self.direction} {self.state}>"


def ended_by_peer(message: Message, status: int | None, reason: str) -> Ended:
    told = {reason.protocol: reason for reason in reversed(reasons(message))}
    q850, sip = told.get("Q.850"), told.get("SIP")
    text = next((each.text for each in (q850, sip) if each is not None and each.text), "")
    cause = q850.cause if q850 else None
    return Ended("remote", status, reason, cause, sip.cause if sip else None, text, retry_after_s(message))
