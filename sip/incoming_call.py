"""A call somebody makes to us: ring, answer, reject; the caller may give up (RFC 3261 section 13.3)."""

from __future__ import annotations

from collections.abc import Sequence

from sip.auth import DigestClient
from sip.call import Call, ended_by_peer
from sip.call_context import CallContext, capabilities
from sip.dialog import Dialog
from sip.errors import CallStateError, SdpError, SipError
from sip.events import Answered, CallState, EarlyMedia, Ended
from sip.exchange import Incoming
from sip.message import Request
from sip.reliable import ReliableResponses, wants_reliable

#: Seconds after which a call that nobody answers is refused with 480.
UNANSWERED_S = 180.0


class IncomingCall(Call):
    direction = "in"

    def __init__(self, context: CallContext, invite: Incoming) -> None:
        request, endpoint = invite.request, context.endpoint
        local = request.to.with_tag(endpoint.new_id())
        digest = DigestClient(None, endpoint.new_id)
        super().__init__(context, request.call_id, local, request.from_, digest, invite.hop)
        self.headers = request.headers
        self.hear(request)
        self.client.dialog = Dialog.as_callee(request, self.local_tag)
        self._invite = invite
        self._is_answering = False
        self._description: bytes | None = None
        self._hangs_up = False
        self._is_early_settled = False
        invite.on_cancel = self._on_cancel
        invite.respond(request.reply(100))
        self._limit = endpoint.clock.call_later(UNANSWERED_S, self._nobody_answers)
        self._reliable = self._reliable_responses() if wants_reliable(request) else None

    def _reliable_responses(self) -> ReliableResponses:
        return ReliableResponses(
            self.clock,
            self.timing,
            self.chance.randrange(1, 2**31),
            lambda status, rseq, body: self._respond(
                status, headers=[("Require", "100rel"), ("RSeq", str(rseq))], body=body
            ),
            lambda: self._refuse(504, None, (), Ended("error", 504, "the caller never acknowledged that it rings")),
        )

    @property
    def first_answer_given(self) -> bool:
        return super().first_answer_given or self._is_early_settled

    def ring(self) -> None:
        self._expect_unanswered()
        if self.state is CallState.TRYING:
            self.state = CallState.RINGING
        if self._reliable is None:
            self._respond(180)
        elif self._invite.request.sdp:
            self._reliable.send(180)
        # else: the first reliable response would have to hold an offer (RFC 3262 section 5), and ringing has none.

    async def progress(self) -> None:
        self._expect_unanswered()
        body = await self._describe()
        self.state = CallState.EARLY
        if self._reliable is not None:
            self._reliable.send(183, body)
        else:
            self._respond(183, body=body if self._invite.request.sdp else b"")
        self.tell(EarlyMedia())

    async def answer(self) -> None:
        self._expect_unanswered()
        self._is_answering = True
        request = self._invite.request
        body = await self._describe()
        if self._reliable is not None:
            await self._reliable.settled()  # RFC 3262 section 3: no 2xx while an offer or answer is on its way
            if self.state is CallState.ENDED:
                raise CallStateError("the caller gave up before the answer")
        headers = [*capabilities(), self.contact_field(), ("Server", self._context.name)]
        headers += self.negotiation.timer.answer(request)
        is_settled = self._is_early_settled
        response = request.reply(200, to_tag=self.local_tag, headers=headers, body=b"" if is_settled else body)
        self._limit.cancel()
        self._stand()
        self.negotiation.accept(self._invite, response, awaits_answer=not request.sdp and not is_settled)
        self.tell(Answered())

    async def _describe(self) -> bytes:
        """Our SDP, made once: answer to the caller's offer, or an offer where there was none. Opens the media."""
        if self._description is not None:
            return self._description
        try:
            await self._session.open(self._endpoint.transport.local_address(self._invite.hop)[0])
        except SipError:
            self._refuse(503, None, [("Retry-After", "5")], Ended("error", 503, "no media port is free"))
            raise
        if self.state is CallState.ENDED:
            self._session.close()
            raise CallStateError("the caller gave up before the answer")
        self._listen()
        offer = self._invite.request.sdp
        try:
            self._description = self._session.answer(offer) if offer else self._session.offer()
        except SdpError as error:
            self._refuse(488, None, (), Ended("error", 488, error.reason))
            raise
        return self._description

    def reject(self, status: int, reason: str | None = None, headers: Sequence[tuple[str, str]] = ()) -> None:
        self._expect_unanswered()
        if not 300 <= status <= 699:
            raise ValueError(f"a refusal is 300 to 699, not {status}")
        self._refuse(status, reason, headers, Ended("local", status, reason or "rejected"))

    def on_ack(self, ack: Request) -> None:
        super().on_ack(ack)
        if self._hangs_up and not self.negotiation.is_unacknowledged:
            self._hangs_up = False
            self._say_bye("hung up")

    def _on_prack(self, incoming: Incoming) -> None:
        """RFC 3262 section 3; it brings the answer where our response held the offer, or a new offer."""
        request = incoming.request
        if self._reliable is None or self.state is CallState.ENDED or not self._reliable.is_awaited(request):
            incoming.respond(request.reply(481))
            return
        body = b""
        try:
            if request.sdp and self._session.agreed is None:
                self._session.accept(request.sdp)
            elif request.sdp:
                body = self._session.answer(request.sdp)
        except SdpError as error:
            incoming.respond(request.reply(error.status))
            return
        self._is_early_settled = self._session.agreed is not None
        incoming.respond(request.reply(200, body=body))
        self._reliable.acknowledged()

    def _leave(self, reason: str) -> None:
        if self.state is not CallState.CONFIRMED:
            self._refuse(480, None, (), Ended("local", 480, reason))
        elif self.negotiation.is_unacknowledged:
            # No BYE before the ACK (RFC 3261 section 15): the caller may not know yet that we answered.
            self._hangs_up = True
            self._end(Ended("local", None, reason), wait=True, lingers=True)
        else:
            self._say_bye(reason)

    def _on_cancel(self, cancel: Request) -> None:
        if not self._invite.is_answered:
            self._refuse(487, None, (), ended_by_peer(cancel, 487, "the caller gave up"))

    def _on_bye(self, incoming: Incoming) -> None:
        if not self._invite.is_answered:
            self._respond(487)
        super()._on_bye(incoming)

    def _nobody_answers(self) -> None:
        if not self._invite.is_answered:
            self._refuse(480, None, (), Ended("error", 480, "nobody answered the caller"))

    def _refuse(self, status: int, reason: str | None, headers: Sequence[tuple[str, str]], ended: Ended) -> None:
        if self.state is not CallState.ENDED and not self._invite.is_answered:
            self._respond(status, reason, headers)
        self._end(ended)

    def _respond(
        self, status: int, reason: str | None = None, headers: Sequence[tuple[str, str]] = (), body: bytes = b""
    ) -> None:
        fields = [("Server", self._context.name), *headers]
        if status < 300:
            fields += [self.contact_field(), *capabilities()]
        request = self._invite.request
        self._invite.respond(request.reply(status, reason, to_tag=self.local_tag, headers=fields, body=body))

    def _end(self, ended: Ended, *, wait: bool = False, lingers: bool = False) -> None:
        self._limit.cancel()
        if self._reliable is not None:
            self._reliable.stop()
        super()._end(ended, wait=wait, lingers=lingers)

    def _expect_unanswered(self) -> None:
        if self.state not in (CallState.TRYING, CallState.RINGING, CallState.EARLY) or self._is_answering:
            raise CallStateError(f"the call is {self.state}, it can no longer be answered or rejected")
