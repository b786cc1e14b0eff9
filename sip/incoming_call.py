"""A call somebody makes to us: ring, answer, reject; the caller may give up (RFC 3261 section 13.3)."""

from __future__ import annotations

from collections.abc import Sequence

from sip.auth import DigestClient
from sip.call import Call, CallContext, capabilities, ended_by_peer
from sip.dialog import Dialog
from sip.errors import CallStateError, SdpError, SipError
from sip.events import Answered, CallState, EarlyMedia, Ended
from sip.exchange import Incoming
from sip.message import Request

#: Seconds after which a call that nobody answers is refused with 480.
UNANSWERED_S = 180.0


class IncomingCall(Call):
    direction = "in"

    def __init__(self, context: CallContext, invite: Incoming) -> None:
        request, endpoint = invite.request, context.endpoint
        local = request.to.with_tag(endpoint.new_id())
        super().__init__(context, request.call_id, local, request.from_, DigestClient(None, endpoint.new_id))
        self.headers = request.headers
        self.dialog = Dialog.as_callee(request, self.local_tag)
        self._invite = invite
        self._is_answering = False
        self._description: bytes | None = None
        self._hangs_up = False
        invite.on_cancel = self._on_cancel
        invite.respond(request.reply(100))
        self._limit = endpoint.clock.call_later(UNANSWERED_S, self._nobody_answers)

    def ring(self) -> None:
        self._expect_unanswered()
        if self.state is CallState.TRYING:
            self.state = CallState.RINGING
        self._respond(180)

    async def progress(self) -> None:
        self._expect_unanswered()
        body = await self._describe()
        self.state = CallState.EARLY
        self._respond(183, body=body if self._invite.request.body else b"")
        self._tell(EarlyMedia())

    async def answer(self) -> None:
        self._expect_unanswered()
        self._is_answering = True
        request, source = self._invite.request, self._invite.source
        body = await self._describe()
        self._awaits_answer = not request.body
        headers = [*capabilities(), self._contact(source), ("Server", self._context.name)]
        response = request.reply(200, to_tag=self.local_tag, headers=headers, body=body)
        self._limit.cancel()
        self.state = CallState.CONFIRMED
        self._accept_reliably(self._invite, response)
        self._tell(Answered())

    async def _describe(self) -> bytes:
        """Our SDP, made once: answer to the caller's offer, or an offer where there was none. Opens the media."""
        if self._description is not None:
            return self._description
        try:
            await self._session.open(self._endpoint.transport.local_address(self._invite.source)[0])
        except SipError:
            self._refuse(503, None, [("Retry-After", "5")], Ended("error", 503, "no media port is free"))
            raise
        if self.state is CallState.ENDED:
            self._session.close()
            raise CallStateError("the caller gave up before the answer")
        self._listen_to_digits()
        offer = self._invite.request.body
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
        if self._hangs_up:
            self._hangs_up = False
            self._say_bye("hung up")

    def _leave(self, reason: str) -> None:
        if self.state is not CallState.CONFIRMED:
            self._refuse(480, None, (), Ended("local", 480, reason))
        elif self._reliable is not None and self._reliable.is_waiting:
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
            fields.append(self._contact(self._invite.source))
        request = self._invite.request
        self._invite.respond(request.reply(status, reason, to_tag=self.local_tag, headers=fields, body=body))

    def _end(self, ended: Ended, *, wait: bool = False, lingers: bool = False) -> None:
        self._limit.cancel()
        super()._end(ended, wait=wait, lingers=lingers)

    def _expect_unanswered(self) -> None:
        if self.state not in (CallState.TRYING, CallState.RINGING, CallState.EARLY) or self._is_answering:
            raise CallStateError(f"the call is {self.state}, it can no longer be answered or rejected")
