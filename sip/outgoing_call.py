"""A call we make: INVITE, challenges, ringing, early media, forks, and the race of CANCEL with the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from sip.auth import CHALLENGE_FIELDS, DigestClient
from sip.call import Call, CallContext, capabilities, ended_by_peer
from sip.dialog import Dialog
from sip.errors import SdpError, SipError
from sip.events import Answered, CallState, EarlyMedia, Ended, Ringing
from sip.exchange import Outgoing
from sip.message import CSeq, Headers, NameAddr, Request, Response, Uri
from sip.transaction import Failed, cancel
from sip.transport import Address, resolve

#: INVITEs sent for one call at most: the first, two challenges (trunk and proxy), two stale nonces.
MAX_INVITES = 5


class OutgoingCall(Call):
    direction = "out"

    def __init__(
        self,
        context: CallContext,
        target: Uri,
        caller: NameAddr,
        digest: DigestClient,
        *,
        headers: Sequence[tuple[str, str]],
        via: Address | None,
        ring_timeout_s: float,
    ) -> None:
        endpoint = context.endpoint
        local = caller.with_tag(endpoint.new_id())
        super().__init__(context, endpoint.new_id() + endpoint.new_id(), local, NameAddr(target), digest)
        self._target, self._via, self._extra = target, via, tuple(headers)
        self._invite: Outgoing | None = None
        self._invites = 0
        self._seen: set[int] = set()
        self._is_cancelled = False
        self._leaving: Ended | None = None
        self._acks: dict[str, Request] = {}
        self._limit = endpoint.clock.call_later(ring_timeout_s, lambda: self._leave("no answer"))
        self._dialling = asyncio.get_running_loop().create_task(self._dial())

    async def _dial(self) -> None:
        try:
            destination = self._via or await resolve(self._target)
            await self._session.open(self._endpoint.transport.local_address(destination)[0])
        except (SipError, OSError) as error:
            self._end(Ended("error", None, str(error)))
            return
        if self.state is CallState.ENDED:
            self._session.close()
            return
        self._listen_to_digits()
        self._send_invite(destination)

    def _send_invite(self, destination: Address) -> None:
        self._invites += 1
        headers = [
            ("Max-Forwards", "70"),
            ("From", str(self.local)),
            ("To", str(self.remote)),
            ("Call-ID", self.id),
        ]
        headers += [("CSeq", str(CSeq(self._invites, "INVITE"))), self._contact(destination), *capabilities()]
        headers += [("User-Agent", self._context.name), ("Content-Type", "application/sdp"), *self._extra]
        invite = Request("INVITE", self._target, Headers(headers), self._session.offer())
        self.headers = invite.headers
        self._invite = self._endpoint.request(
            self._digest.authorize(invite), self._on_response, self._on_failure, destination=destination
        )

    # Responses -------------------------------------------------------------------------------------

    def _on_response(self, response: Response) -> None:
        if response.status < 200:
            self._on_provisional(response)
        elif response.status < 300:
            self._on_accepted(response)
        else:
            self._on_refused(response)

    def _on_provisional(self, response: Response) -> None:
        is_news = response.status not in self._seen
        self._seen.add(response.status)
        if self._leaving is not None:
            self._cancel()
        elif response.status > 100 and self.state is not CallState.ENDED and self._invite is not None:
            if response.to.tag is not None:
                self.dialog = Dialog.as_caller(self._invite.request, response)
            self._on_ringing(response, is_news)

    def _on_ringing(self, response: Response, is_news: bool) -> None:
        if self.state is CallState.TRYING:
            self.state = CallState.RINGING
        if is_news:
            self._tell(Ringing(response.status))
        if response.body and self._take_answer(response) is None and self.state is CallState.RINGING:
            self.state = CallState.EARLY
            self._tell(EarlyMedia())

    def _on_accepted(self, response: Response) -> None:
        """A 2xx: acknowledge it each time it comes; keep the first fork, say goodbye to every other."""
        if self._invite is None:
            return
        tag = response.to.tag or ""
        is_first = not self._acks
        if tag not in self._acks:
            dialog = Dialog.as_caller(self._invite.request, response)
            self._acks[tag] = self._ack(dialog)
            if is_first:
                self.dialog = dialog
            else:
                self._endpoint.request(dialog.request("BYE"), lambda response: None, lambda failed: None)
        self._endpoint.send_ack(self._acks[tag])
        if is_first:
            self._on_answered(response)

    def _on_answered(self, response: Response) -> None:
        self._limit.cancel()
        self.response = response
        refused = self._take_answer(response) if response.body else None
        if self._leaving is not None or self.state is CallState.ENDED:
            # The answer has crossed our CANCEL (RFC 3261 9.1): the call stands, so it must be ended.
            self._say_bye("hung up", self._leaving)
        elif refused is not None or self._session.agreed is None:
            self._fail(f"no usable session in the answer: {refused or 'no SDP came'}")
        else:
            self.state = CallState.CONFIRMED
            self._tell(Answered())

    def _on_refused(self, response: Response) -> None:
        self.response = response
        challenged = response.status in CHALLENGE_FIELDS and self._leaving is None and self._invites < MAX_INVITES
        if challenged and self._invite is not None and self._digest.learn(response):
            self._send_invite(self._invite.destination)
        elif self._leaving is not None:
            self._end(replace(self._leaving, status=response.status))
        else:
            self._end(ended_by_peer(response, response.status, response.reason))

    def _on_failure(self, failed: Failed) -> None:
        self._end(self._leaving or Ended("error", failed.status, failed.reason))

    def _take_answer(self, response: Response) -> str | None:
        """Read the SDP of a response; the reason where it is of no use."""
        try:
            self._session.accept(response.body)
        except SdpError as error:
            return error.reason
        return None

    def _ack(self, dialog: Dialog) -> Request:
        """The ACK carries the INVITE's CSeq number and its credentials (RFC 3261 13.2.2.4, 22.1)."""
        assert self._invite is not None  # only an INVITE is acknowledged
        invite = self._invite.request
        ack = dialog.request("ACK", cseq=invite.cseq.number)
        credentials = [item for item in invite.headers if item[0] in ("Authorization", "Proxy-Authorization")]
        return ack.with_headers(ack.headers.adding(credentials))

    # Giving up -------------------------------------------------------------------------------------

    def _leave(self, reason: str) -> None:
        if self.state in (CallState.CONFIRMED, CallState.ENDED):
            if self.state is CallState.CONFIRMED:
                self._say_bye(reason)
            return
        self._limit.cancel()
        if self._leaving is None:
            self._leaving = Ended("local", 487, reason)
        if self._invite is None:
            self._end(self._leaving)
        elif self._seen:
            self._cancel()
        # else: a CANCEL may only follow a provisional response (RFC 3261 9.1); the first one brings it.

    def _cancel(self) -> None:
        if self._is_cancelled or self._invite is None or self._leaving is None:
            return
        self._is_cancelled = True
        self._endpoint.cancel(self._invite, cancel(self._invite.request))
        self._endpoint.clock.call_later(self._endpoint.timing.patience, self._nobody_confirms_the_cancel)

    def _nobody_confirms_the_cancel(self) -> None:
        """RFC 3261 9.1: an old callee may never send the 487; then the INVITE counts as cancelled."""
        if self._invite is not None and self.response is None:
            self._invite.stop()
        if self._leaving is not None:
            self._end(self._leaving)

    def _end(self, ended: Ended, *, wait: bool = False, lingers: bool = False) -> None:
        self._limit.cancel()
        if asyncio.current_task() is not self._dialling:
            self._dialling.cancel()
        if self._leaving is not None and ended.by == "local" and ended.status is None:
            ended = self._leaving
        super()._end(ended, wait=wait, lingers=lingers)
