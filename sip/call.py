"""One INVITE session as its user sees it, and what calls of both directions have in common."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from sip.auth import CHALLENGE_FIELDS, DigestClient
from sip.dialog import Dialog
from sip.dtmf_info import read_dtmf
from sip.endpoint import Endpoint
from sip.errors import CallStateError, SdpError, SipParseError
from sip.events import (
    CallEvent,
    CallState,
    Dtmf,
    Ended,
    EventStream,
    Held,
    Resumed,
)
from sip.exchange import Incoming
from sip.message import Headers, Message, NameAddr, Request, Response, Uri
from sip.message.grammar import quote
from sip.repeat import RepeatUntilAck
from sip.sdp import Codec
from sip.session import Media, MediaFactory, Session
from sip.transport import Address

log = logging.getLogger("sip")

#: Methods we understand; named in every Allow field.
ALLOW = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE")
#: Methods that exist but are none of ours (405); what is not even here is unknown (501).
FOREIGN = ("REGISTER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "MESSAGE", "REFER", "PRACK")
#: Seconds that `hangup` waits for the peer to agree before it stops listening.
HANGUP_WAIT_S = 4.0
_Q850 = re.compile(r"Q\.850\s*;(?:.*;)?\s*cause\s*=\s*(\d{1,3})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CallContext:
    """What a call borrows from its user agent."""

    endpoint: Endpoint
    name: str
    media_factory: MediaFactory | None
    codecs: tuple[Codec, ...]
    #: Calls that have not ended, by Call-ID and local tag.
    calls: dict[tuple[str, str], Call]

    def contact(self, destination: Address, user: str | None) -> str:
        host, port = self.endpoint.transport.local_address(destination)
        return f"<{Uri('sip', user, f'[{host}]' if ':' in host else host, port)}>"


class Call:
    """Use `events()` or `on_event` to follow it. Whatever goes wrong ends in an `Ended` event."""

    direction: Literal["in", "out"]

    def __init__(
        self, context: CallContext, call_id: str, local: NameAddr, remote: NameAddr, digest: DigestClient
    ) -> None:
        self.id = call_id
        self.state = CallState.TRYING
        self.headers = Headers()
        #: The last final response to our INVITE, for its Retry-After and the like.
        self.response: Response | None = None
        self.dialog: Dialog | None = None
        self.local, self.remote = local, remote
        self._context, self._endpoint, self._digest = context, context.endpoint, digest
        self._stream = EventStream()
        self._session = Session(context.media_factory, self._endpoint.number(), context.codecs)
        self._reliable: RepeatUntilAck | None = None
        self._awaited_ack = 0
        self._awaits_answer = False
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
    def media(self) -> Media | None:
        return self._session.media

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
        timer = self._endpoint.clock.call_later(HANGUP_WAIT_S, self._goodbye.set)
        try:
            await self._goodbye.wait()
        finally:
            timer.cancel()
        if self.state is not CallState.ENDED:
            self._end(Ended("local", None, reason or "hung up"))

    def send_dtmf(self, digits: str) -> None:
        """Send telephone events. CallStateError where the call has no media yet or any more."""
        if self.media is None or self.state is CallState.ENDED:
            raise CallStateError("no media to send digits through")
        self.media.send_dtmf(digits)

    # What the two directions do differently --------------------------------------------------------

    def _leave(self, reason: str) -> None:
        """Begin to end the call before or after it stands."""
        self._say_bye(reason)

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
            handlers = {"BYE": self._on_bye, "INVITE": self._on_reinvite, "UPDATE": self._on_update}
            handlers |= {"INFO": self._on_info, "OPTIONS": self._on_options}
            handlers.get(request.method, self._on_other)(incoming)

    def on_ack(self, ack: Request) -> None:
        reliable, dialog = self._reliable, self.dialog
        is_expected = reliable is not None and reliable.is_waiting and ack.cseq.number == self._awaited_ack
        if reliable is None or not is_expected or dialog is None or ack.from_.tag != dialog.remote.tag:
            return
        reliable.stop()
        if self._awaits_answer:
            self._awaits_answer = False
            try:
                self._renegotiated(lambda: self._session.accept(ack.body))
            except SdpError as error:
                self._fail(f"no usable answer in the ACK: {error.reason}")

    def _on_bye(self, incoming: Incoming) -> None:
        incoming.respond(incoming.request.reply(200))
        self._end(ended_by_peer(incoming.request, None, "the peer hung up"))

    def _on_options(self, incoming: Incoming) -> None:
        incoming.respond(incoming.request.reply(200, headers=capabilities()))

    def _on_other(self, incoming: Incoming) -> None:
        status = 405 if incoming.request.method in FOREIGN else 501
        incoming.respond(incoming.request.reply(status, headers=capabilities()))

    def _on_info(self, incoming: Incoming) -> None:
        request = incoming.request
        pressed = read_dtmf(request)
        if pressed is None and request.body:
            incoming.respond(request.reply(415, headers=[("Accept", "application/dtmf-relay, application/dtmf")]))
            return
        incoming.respond(request.reply(200))
        if pressed is not None:
            self._tell(pressed)

    def _on_update(self, incoming: Incoming) -> None:
        """RFC 3311: like a re-INVITE that needs no ACK; without a body it only says that the peer lives."""
        if incoming.request.body and self.state is not CallState.CONFIRMED:
            incoming.respond(incoming.request.reply(491))
        else:
            self._answer_offer(incoming, reliably=False)

    def _on_reinvite(self, incoming: Incoming) -> None:
        if self.state is not CallState.CONFIRMED or (self._reliable is not None and self._reliable.is_waiting):
            # The last INVITE is not finished (RFC 3261 14.2): the peer is to try again in a moment.
            incoming.respond(incoming.request.reply(491))
            return
        self._answer_offer(incoming, reliably=True)

    def _answer_offer(self, incoming: Incoming, *, reliably: bool) -> None:
        request, body = incoming.request, b""
        try:
            if request.body:
                body = self._renegotiated(lambda: self._session.answer(request.body)) or b""
            elif reliably:
                body = self._session.offer()  # all we can; a peer that holds will say so in its answer
        except SdpError as error:
            incoming.respond(request.reply(error.status, headers=[warning(error)]))
            return
        if self.dialog is not None:
            self.dialog.refresh(request)
        self._awaits_answer = reliably and not request.body
        response = request.reply(200, headers=[*capabilities(), self._contact(incoming.source)], body=body)
        if reliably:
            self._accept_reliably(incoming, response)
        else:
            incoming.respond(response)

    def _renegotiated(self, change: Callable[[], bytes | None]) -> bytes | None:
        """Carry out a change of the session and tell the user where it held or resumed the audio."""
        before = self._session.direction
        result = change()
        after = self._session.direction
        if after != before and self.state is CallState.CONFIRMED:
            self._tell(Resumed() if after == "sendrecv" else Held(after))
        return result

    def _accept_reliably(self, incoming: Incoming, response: Response) -> None:
        self._awaited_ack = response.cseq.number
        self._reliable = RepeatUntilAck(
            self._endpoint.clock,
            self._endpoint.timing,
            lambda: incoming.respond(response),
            lambda: self._fail("our answer was never acknowledged"),
        )

    # Ending ----------------------------------------------------------------------------------------

    def _fail(self, reason: str) -> None:
        """The call stands but cannot go on."""
        self._say_bye(reason, Ended("error", None, reason))

    def _say_bye(self, reason: str, ended: Ended | None = None) -> None:
        """The call is over for us at once; the BYE takes its time."""
        self._end(ended or Ended("local", None, reason), wait=True)
        self._request("BYE", lambda response: self._goodbye.set(), headers=[("Reason", "Q.850;cause=16")])

    def _request(
        self,
        method: str,
        on_final: Callable[[Response | None], None],
        *,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        attempts: int = 3,
    ) -> None:
        """Send a request inside the dialog, answering challenges; `on_final` gets None for silence."""
        if self.dialog is None:
            on_final(None)
            return
        request = self.dialog.request(method)
        fields = request.headers.adding([("User-Agent", self._context.name), *headers])
        request = self._digest.authorize(Request(method, request.uri, fields, body))

        def on_response(response: Response) -> None:
            challenged = response.status in CHALLENGE_FIELDS and attempts > 1
            if challenged and self._digest.learn(response):
                self._request(method, on_final, headers=headers, body=body, attempts=attempts - 1)
            elif response.status >= 200:
                on_final(response)

        self._endpoint.request(request, on_response, lambda failed: on_final(None))

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
        try:
            self._session.close()
        except Exception:
            log.exception("closing the media of call %s failed", self.id)
        self._tell(ended)

    def forget(self) -> None:
        """No message will find this call any more."""
        if self._reliable is not None:
            self._reliable.stop()
        self._context.calls.pop((self.id, self.local_tag), None)

    # Small things ----------------------------------------------------------------------------------

    def _tell(self, event: CallEvent) -> None:
        self._stream.tell(event)

    def _listen_to_digits(self) -> None:
        if self.media is not None:
            self.media.on_dtmf = lambda digit, duration_ms: self._tell(Dtmf(digit, duration_ms))

    def _contact(self, destination: Address) -> tuple[str, str]:
        return "Contact", self._context.contact(destination, self.local.uri.user)

    def __repr__(self) -> str:
        return f"<Call {self.id} {self.direction} {self.state}>"


def capabilities() -> list[tuple[str, str]]:
    return [("Allow", ", ".join(ALLOW)), ("Accept", "application/sdp")]


def warning(error: SipParseError) -> tuple[str, str]:
    """Tells the peer's operator why we refuse (RFC 3261 20.43)."""
    return "Warning", f"399 - {quote(error.reason[:80])}"


def q850_cause(message: Message) -> int | None:
    """The Q.850 cause of a Reason field (RFC 3326): `Q.850;cause=16;text="…"` -> 16."""
    for text in message.headers.all("Reason"):
        if match := _Q850.search(text):
            return int(match.group(1))
    return None


def ended_by_peer(message: Message, status: int | None, reason: str) -> Ended:
    return Ended("remote", status, reason, q850_cause(message))
