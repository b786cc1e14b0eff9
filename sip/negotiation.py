"""Offers and answers of a standing call, from either side (RFC 3261 section 14, RFC 3264 section 8, RFC 3311)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from sip.call_context import ACCEPT
from sip.errors import CallStateError, RefusedError, SdpError
from sip.events import CallState, Held, Resumed
from sip.exchange import Incoming
from sip.message import Request, Response
from sip.reason import retry_after_s, warning
from sip.repeat import RepeatUntilAck
from sip.sdp import Direction
from sip.session import Session
from sip.session_timer import MIN_SE_S, SessionTimer, too_brief

if TYPE_CHECKING:
    from sip.call import Call

log = logging.getLogger("sip")

#: How often we try again what the peer asked us to try again.
MAX_TRIES = 10
#: A peer that asks for more patience than so many seconds has refused.
LONGEST_WAIT_S = 10


class Negotiation:
    """One change at a time: ours wait for each other and for the peer's; a peer's that meets ours gets 491."""

    def __init__(self, call: Call, session: Session, wanted_s: int | None) -> None:
        self._call, self._session = call, session
        self.timer = SessionTimer(call.clock, wanted_s, self._refresh, call.fail)
        #: What we want of the audio, and what the peer has left us of it (None: all).
        self._wish: Direction = "sendrecv"
        self._held: Direction | None = None
        self._turn = asyncio.Lock()
        #: Our request that has no final response yet, and whether there is an offer in it.
        self._asked: asyncio.Future[Response] | None = None
        self._has_offered = False
        self._reliable: RepeatUntilAck | None = None
        self._awaited_ack = 0
        self._awaits_answer = False
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._woken = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    # Ours ------------------------------------------------------------------------------------------

    async def turn(self, direction: Direction) -> None:
        """Offer another direction. RefusedError where the peer will not: then nothing has changed.

        Whoever waits may be cancelled; the exchange with the peer goes on to its end all the same.
        """
        await asyncio.shield(self._run(self._turn_to(direction)))

    async def _turn_to(self, direction: Direction) -> None:
        async with self._turn:
            self._expect_standing()
            if direction == self._wish:
                return
            before, self._wish = self._wish, direction
            try:
                await self._ask("INVITE", lambda: self._session.offer(direction))
            except BaseException:
                self._wish = before
                raise
            finally:
                self._session.half.direction = self._wish

    def _refresh(self) -> None:
        if not self._turn.locked():  # any change of ours that is under way is a refresh too
            self._run(self._refresh_session())

    def _run(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # told to whoever waits; there may be nobody

    async def _refresh_session(self) -> None:
        try:
            async with self._turn:
                if "UPDATE" not in self._call.peer_allows:
                    await self._ask("INVITE", self._as_it_stands)
                    return
                try:
                    await self._ask("UPDATE", lambda: b"")
                except RefusedError as error:
                    if error.status not in (405, 420, 488, 501):
                        raise
                    await self._ask("INVITE", self._as_it_stands)
        except (RefusedError, CallStateError) as error:
            log.info("refreshing call %s failed: %s", self._call.id, error)
            self.timer.refresh_failed()

    def _as_it_stands(self) -> bytes:
        """A refresh says again what is agreed (RFC 4028 section 7.4): a peer that holds us goes on holding."""
        return self._session.offer(self._session.direction)

    @property
    def is_on_hold(self) -> bool:
        """We hold the peer."""
        return self._wish != "sendrecv"

    async def _ask(self, method: str, offer: Callable[[], bytes]) -> None:
        """One request of ours until it is settled. RefusedError; CallStateError where the call ends meanwhile."""
        for _ in range(MAX_TRIES):
            await self._quiet.wait()
            self._expect_standing()
            response = await self._send(method, offer())
            if response.status < 300:
                return
            wait_s = self._wait_before_next(response)
            if wait_s is None:
                break
            await self._pause(wait_s)
        raise RefusedError(response.status, response.reason)

    def _wait_before_next(self, response: Response) -> float | None:
        """Seconds until the same request may go out again; None: it is refused."""
        if response.status == 491:
            # RFC 3261 14.1: whoever made the Call-ID waits longer, so that the two do not meet again.
            chance = self._call.chance
            return chance.randrange(210, 401) / 100 if self._call.direction == "out" else chance.randrange(0, 201) / 100
        if response.status == 422:
            return 0 if self.timer.learn(response) else None
        asked = retry_after_s(response) if response.status in (500, 503) else None
        return asked if asked is not None and asked <= LONGEST_WAIT_S else None

    async def _send(self, method: str, body: bytes) -> Response:
        call = self._call
        answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._asked = answered

        def on_final(response: Response | None) -> None:
            if answered.done():
                return
            self._asked = None
            if response is None or response.status in (408, 481):
                answered.set_exception(RefusedError(408, "the peer does not answer"))
                answered.exception()  # the one who asked may have gone
                call.fail("the peer no longer knows the call" if response else "the peer does not answer")
                return
            if response.status < 300:
                self._settled(method, response)
            answered.set_result(response)

        headers = [*call.offer_fields(), call.contact_field(), *self.timer.request_fields()]
        self._has_offered = bool(body)
        call.client.send(method, on_final, headers=headers, body=body)
        # A peer may say "trying" and then nothing more; no transaction ends that.
        limit = call.clock.call_later(2 * call.timing.patience, lambda: on_final(None))
        try:
            return await answered
        finally:
            limit.cancel()
            # An offer of the peer that comes now is answered with what we want, not with what we just offered.
            self._session.half.direction = self._wish

    def _settled(self, method: str, response: Response) -> None:
        self.timer.agreed(response)
        if method == "UPDATE":
            if self._call.dialog is not None:
                self._call.dialog.refresh(response)
            return
        if not response.sdp:
            return  # a broken peer: it has agreed without saying to what, so nothing changes
        try:
            self._changed(lambda: self._session.accept(response.sdp))
        except SdpError as error:
            self._call.fail(f"no usable answer to our offer: {error.reason}")

    async def _pause(self, seconds: float) -> None:
        self._woken.clear()
        timer = self._call.clock.call_later(seconds, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            timer.cancel()

    def _expect_standing(self) -> None:
        if self._call.state is not CallState.CONFIRMED:
            raise CallStateError(f"the call is {self._call.state}: there is no session to change")

    # The peer's ------------------------------------------------------------------------------------

    def on_reinvite(self, incoming: Incoming) -> None:
        if self._call.state is not CallState.CONFIRMED or not self._quiet.is_set() or self._is_open:
            # Another offer is not settled yet (RFC 3261 14.2): the peer is to try again in a moment.
            incoming.respond(incoming.request.reply(491))
            return
        self._answer(incoming, reliably=True)

    @property
    def _is_open(self) -> bool:
        """An offer of ours has no answer yet."""
        return self._awaits_answer or (self._asked is not None and self._has_offered)

    def on_update(self, incoming: Incoming) -> None:
        """RFC 3311: like a re-INVITE that needs no ACK; without a body it only says that the peer lives."""
        request = incoming.request
        if not request.sdp:
            self._answer(incoming, reliably=False)
        elif self._is_open or not self._call.first_answer_given:
            ours = self._is_open or self._call.direction == "out"
            # RFC 3311 5.2: 491 where our offer is open, 500 where the peer's own first one is.
            later = [] if ours else [("Retry-After", str(self._call.chance.randrange(0, 10)))]
            incoming.respond(request.reply(491 if ours else 500, headers=later))
        else:
            self._answer(incoming, reliably=False)

    def _answer(self, incoming: Incoming, *, reliably: bool) -> None:
        request, body = incoming.request, b""
        if too_brief(request):
            incoming.respond(request.reply(422, headers=[("Min-SE", str(MIN_SE_S))]))
            return
        if request.body and not request.sdp:
            incoming.respond(request.reply(415, headers=[("Accept", ACCEPT)]))
            return
        try:
            if request.sdp:
                body = self._changed(lambda: self._session.answer(request.sdp)) or b""
            elif reliably:
                body = self._session.offer()  # all we can; a peer that holds will say so in its answer
        except SdpError as error:
            incoming.respond(request.reply(error.status, headers=[warning(error)]))
            return
        if self._call.dialog is not None:
            self._call.dialog.refresh(request)
        timer = self.timer.answer(request) if self._call.state is CallState.CONFIRMED else []
        headers = [*self._call.offer_fields(), self._call.contact_field(), *timer]
        response = request.reply(200, headers=headers, body=body)
        if reliably:
            self.accept(incoming, response, awaits_answer=not request.sdp)
        else:
            incoming.respond(response)

    def accept(self, incoming: Incoming, response: Response, *, awaits_answer: bool) -> None:
        """Send a 2xx to an INVITE until its ACK comes; `awaits_answer`: the ACK has to bring the peer's SDP."""
        self._awaited_ack, self._awaits_answer = response.cseq.number, awaits_answer
        self._quiet.clear()
        call = self._call
        self._reliable = RepeatUntilAck(
            call.clock,
            call.timing,
            lambda: incoming.respond(response),
            lambda: call.fail("our answer was never acknowledged"),
        )

    @property
    def is_unacknowledged(self) -> bool:
        return self._reliable is not None and self._reliable.is_waiting

    def on_ack(self, ack: Request) -> None:
        if self._reliable is None or not self._reliable.is_waiting or ack.cseq.number != self._awaited_ack:
            return
        self._reliable.stop()
        self._quiet.set()
        if self._awaits_answer:
            self._awaits_answer = False
            try:
                self._changed(lambda: self._session.accept(ack.sdp))
            except SdpError as error:
                self._call.fail(f"no usable answer in the ACK: {error.reason}")

    # Both ------------------------------------------------------------------------------------------

    def _changed(self, change: Callable[[], bytes | None]) -> bytes | None:
        """Carry out a change of the session and tell the user where the peer held or resumed the audio."""
        before, result = self._held, change()
        direction = self._session.direction
        self._held = None if direction == self._wish else direction
        if self._held != before and self._call.state is CallState.CONFIRMED:
            self._call.tell(Resumed() if self._held is None else Held(self._held))
        return result

    def end(self) -> None:
        """The call is over: whoever waits for the peer hears it."""
        self.timer.stop()
        self._woken.set()
        if self._asked is not None and not self._asked.done():
            self._asked.set_exception(CallStateError("the call has ended"))
            self._asked.exception()
        self._asked = None

    def forget(self) -> None:
        if self._reliable is not None:
            self._reliable.stop()
        self._quiet.set()
