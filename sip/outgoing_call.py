"""A call we make: INVITE, challenges, redirection, ringing, early media, forks, the race of CANCEL with the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sip.auth import CHALLENGE_FIELDS, DigestClient
from sip.call import Call, ended_by_peer
from sip.call_context import CallContext, capabilities
from sip.dialog import Dialog
from sip.dialog_client import acknowledgement
from sip.errors import SdpError, SipError
from sip.events import Answered, CallState, EarlyMedia, Ended, Ringing
from sip.exchange import Outgoing
from sip.message import CSeq, Headers, NameAddr, Request, Response, Uri
from sip.redirection import Redirection
from sip.reliable import ReceivedInOrder
from sip.transaction import Failed, cancel
from sip.transport import Hop, as_hop

#: INVITEs sent for one call at most: the first, two challenges (trunk and proxy), two stale nonces, a longer
#: session interval, and as many redirections.
MAX_INVITES = 8


@dataclass(slots=True)
class Fork:
    """One place that the INVITE has reached, told apart by its To tag (RFC 3261 section 12.1.2)."""

    dialog: Dialog
    reliable: ReceivedInOrder
    ack: Request | None = None


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
        redirection: Redirection,
        ring_timeout_s: float,
    ) -> None:
        endpoint = context.endpoint
        local, call_id = caller.with_tag(endpoint.new_id()), endpoint.new_id() + endpoint.new_id()
        super().__init__(context, call_id, local, NameAddr(target), digest, None)
        #: Anything at all came back, if only a 100: somebody is there.
        self.contacted = False
        self._target, self._extra, self._redirection = target, tuple(headers), redirection
        self._alternatives: list[Hop] = []
        self._invite: Outgoing | None = None
        self._invites = 0
        self._seen: set[int] = set()
        self._is_cancelled = False
        self._leaving: Ended | None = None
        self._forks: dict[str, Fork] = {}
        self._is_early_settled = False
        self._limit = endpoint.clock.call_later(ring_timeout_s, lambda: self._leave("no answer"))
        self._dialling = asyncio.get_running_loop().create_task(self._dial())

    async def _dial(self) -> None:
        try:
            self.hop, *self._alternatives = await self._hops()
            await self._session.open(self._endpoint.transport.local_address(self.hop)[0])
        except (SipError, OSError) as error:
            self._end(Ended("error", None, str(error)))
            return
        if self.state is CallState.ENDED:
            self._session.close()
            return
        self._listen()
        self._send_invite()

    async def _redial(self) -> None:
        """The same call to another target, which may live elsewhere."""
        try:
            self.hop, *self._alternatives = await self._hops()
        except (SipError, OSError) as error:
            self._end(Ended("error", None, str(error)))
            return
        if self._leaving is not None:
            self._end(self._leaving)
        else:
            self._send_invite()

    async def _hops(self) -> Sequence[Hop]:
        via = self._redirection.via
        return [as_hop(via)] if via else await self._endpoint.transport.resolve(self._target)

    def _send_invite(self) -> None:
        self._invites += 1
        headers = [
            ("Max-Forwards", "70"),
            ("From", str(self.local)),
            ("To", str(self.remote)),
            ("Call-ID", self.id),
        ]
        headers += [("CSeq", str(CSeq(self._invites, "INVITE"))), self.contact_field(), *capabilities()]
        headers += [*self.negotiation.timer.request_fields(), ("User-Agent", self._context.name)]
        headers += [("Content-Type", "application/sdp"), *self._extra]
        invite = Request("INVITE", self._target, Headers(headers), self._session.offer())
        self.headers = invite.headers
        self._invite = self._endpoint.request(
            self.client.digest.authorize(invite),
            self._on_response,
            self._on_failure,
            destination=self.hop,
            alternatives=self._alternatives,
        )

    # Responses -------------------------------------------------------------------------------------

    def _on_response(self, response: Response) -> None:
        self.contacted = True
        if self._invite is not None:  # the hop that answers: what follows need not try the dead ones again
            self.hop = self.flow = self._invite.destination
        self.hear(response)
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
            if response.to.tag is not None and not self._is_in_order(response):
                return
            self._on_ringing(response, is_news)

    def _is_in_order(self, response: Response) -> bool:
        """Note the early dialog. False: a reliable response, come before or too early (RFC 3262 section 4)."""
        fork = self._fork(response)
        self.client.dialog = fork.dialog
        if not fork.reliable.is_reliable(response):
            return True
        rack = fork.reliable.rack(response)
        if rack is not None:
            self.client.send("PRACK", lambda final: None, headers=[("RAck", rack)], dialog=fork.dialog)
        return rack is not None

    def _fork(self, response: Response) -> Fork:
        assert self._invite is not None  # only what was asked is answered
        dialog, tag = Dialog.as_caller(self._invite.request, response), response.to.tag or ""
        known = self._forks.get(tag)
        if known is None:
            self._forks[tag] = known = Fork(dialog, ReceivedInOrder())
        else:
            known.dialog.renew(dialog)
        return known

    def _on_ringing(self, response: Response, is_news: bool) -> None:
        if self.state is CallState.TRYING:
            self.state = CallState.RINGING
        if is_news:
            self.tell(Ringing(response.status))
        if not response.sdp or self._take_answer(response) is not None:
            return
        self._is_early_settled |= "RSeq" in response.headers
        if self.state is CallState.RINGING:
            self.state = CallState.EARLY
            self.tell(EarlyMedia())

    @property
    def first_answer_given(self) -> bool:
        return super().first_answer_given or self._is_early_settled

    def _on_accepted(self, response: Response) -> None:
        """A 2xx: acknowledge it each time it comes; keep the first fork, say goodbye to every other."""
        if self._invite is None:
            return
        is_first = not any(fork.ack for fork in self._forks.values())
        fork = self._forks.get(response.to.tag or "")
        is_new = fork is None or fork.ack is None
        if fork is None or fork.ack is None:
            fork = self._fork(response)
            fork.ack = acknowledgement(fork.dialog, self._invite.request)
            if is_first:
                self.client.dialog = fork.dialog
        self._endpoint.send_ack(fork.ack, flow=self.flow)
        if is_new and not is_first:
            self.client.send("BYE", lambda final: None, dialog=fork.dialog)
        if is_first:
            self._on_answered(response)

    def _on_answered(self, response: Response) -> None:
        self._limit.cancel()
        self.response = response
        refused = self._take_answer(response) if response.sdp else None
        if self._leaving is not None or self.state is CallState.ENDED:
            # The answer has crossed our CANCEL (RFC 3261 9.1): the call stands, so it must be ended.
            self._say_bye("hung up", self._leaving)
        elif refused is not None or self._session.agreed is None:
            self.fail(f"no usable session in the answer: {refused or 'no SDP came'}")
        else:
            self._stand()
            self.negotiation.timer.agreed(response)
            self.tell(Answered())

    def _on_refused(self, response: Response) -> None:
        self.response = response
        if self._leaving is not None:
            self._end(replace(self._leaving, status=response.status))
        elif self._invites < MAX_INVITES and self._try_otherwise(response):
            self._forks.clear()
            self._send_invite()
        elif self._invites < MAX_INVITES and (target := self._redirection.follow(response, self._target)) is not None:
            self._forks.clear()
            self._seen.clear()
            self._target, self._invite = target, None
            self._dialling = asyncio.get_running_loop().create_task(self._redial())
        else:
            self._end(ended_by_peer(response, response.status, response.reason))

    def _try_otherwise(self, response: Response) -> bool:
        """The same target with credentials (401, 407) or a longer session interval (422)."""
        if response.status in CHALLENGE_FIELDS:
            return self.client.digest.learn(response)
        return response.status == 422 and self.negotiation.timer.learn(response)

    def _on_failure(self, failed: Failed) -> None:
        self._end(self._leaving or Ended("error", failed.status, failed.reason))

    def _take_answer(self, response: Response) -> str | None:
        """Read the SDP of a response; the reason where it is of no use."""
        try:
            self._session.accept(response.sdp)
        except SdpError as error:
            return error.reason
        return None

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
