"""Dialler: leases what may be dialled, hands it to `place`, settles what came of it, cleans up after the dead."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import uuid
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import replace

from voicebot.campaign.best_hour import Try
from voicebot.campaign.breaker import breaker
from voicebot.campaign.care import load_follow_up
from voicebot.campaign.follow_up import follow_up
from voicebot.campaign.pacing import Load, allowance, pace
from voicebot.campaign.placement import CallLost, NotDialled
from voicebot.campaign.redial import RedialPolicy
from voicebot.domain.attempt import Attempt, AttemptState, Caps, NextAttempt, Outcome, Purpose
from voicebot.domain.clock import Clock, SystemClock
from voicebot.domain.message import PlannedMessage
from voicebot.domain.outcome import Disposition
from voicebot.domain.pace import BreakerState, Pacing
from voicebot.domain.permission import Judge
from voicebot.domain.records import AlertKind
from voicebot.messages.planning import promise_messages
from voicebot.store import DatabaseError, Store
from voicebot.store.attempts import LEASE, LeaseLost
from voicebot.store.commands import DialOrdered

Place = Callable[[Attempt], Awaitable[Outcome]]
"""Dials one attempt (its `call_id` is set) and returns when the call is over.

By NotDialled it says that nothing rang and the attempt waits again, by any other exception that it may have rung.
"""
Order = Callable[[Attempt], DialOrdered]
"""The order for a line, written in the transaction that places the attempt; then `place` waits for the call alone."""

PACING = Pacing(allowance, breaker)
"""Modes of campaigns and the breaker, as shipped."""
_log = logging.getLogger(__name__)
_HOUSEKEEPING_S = 30.0
_TAKE_OVER_S = 5.0
NEXT_NUMBER_AFTER = dt.timedelta(days=1)


class Dialler:
    """Several may share the work. `load` tells of lines and agents; without it only `capacity` counts.

    `adopt` waits for the end of a call that a dialler which is gone has dialled; without it such attempts are
    settled as failed. `in_writing`: what is promised is also written down for the outbox.
    `dead`: diallers that are known to be gone; `capacity` may change while it runs.
    """

    def __init__(
        self,
        store: Store,
        worker: str,
        place: Place,
        judge: Judge,
        *,
        capacity: int | Callable[[], int] = 5,
        caps: Caps | None = None,
        policy: RedialPolicy | None = None,
        clock: Clock | None = None,
        adopt: Place | None = None,
        load: Callable[[], Load] | None = None,
        poll_s: float = 1.0,
        new_call_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        in_writing: bool = False,
        order: Order | None = None,
        pacing: Pacing | None = PACING,
        dead: Callable[[], Collection[str]] = lambda: (),
    ) -> None:
        self._store = store
        self._worker = worker
        self._place = place
        self._judge = judge
        self._capacity = capacity
        self._caps = caps
        self._policy = policy or load_follow_up().redial
        self._clock = clock or SystemClock()
        self._adopt = adopt
        self._load = load
        self._poll_s = poll_s
        self._new_call_id = new_call_id
        self._in_writing = in_writing
        self._order = order
        self._pacing = pacing
        self._dead = dead
        self._resting: set[str] = set()
        self._running: dict[int, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()

    @property
    def running(self) -> int:
        """Attempts leased or placed by this dialler."""
        return len(self._running)

    async def run(self, stop: asyncio.Event) -> None:
        """Dial until `stop` is set, then wait for the calls under way.

        A database that is away is waited for.
        """
        async with asyncio.TaskGroup() as tasks:
            helpers = [
                tasks.create_task(self._keep_leases()),
                tasks.create_task(self._keep_house(tasks)),
                tasks.create_task(self._hear()),
            ]
            while not stop.is_set():
                if not await self._survives(lambda: self._lease(tasks)):
                    await asyncio.sleep(self._poll_s)
                await self._nap(stop)
            while self._running:
                await asyncio.wait(self._running.values())
            for helper in helpers:
                helper.cancel()

    async def once(self) -> int:
        """Lease one round, carry it out to the end; how many calls there were. For simulations and tests."""
        async with asyncio.TaskGroup() as tasks:
            return await self._lease(tasks)

    async def _lease(self, tasks: asyncio.TaskGroup) -> int:
        capacity = self._capacity() if callable(self._capacity) else self._capacity
        load = self._load() if self._load else Load(self.running, capacity)
        wanted = min(pace(load), capacity - self.running)
        leased = await self._store.attempts.lease(
            self._worker, wanted, self._clock.now(), self._judge, caps=self._caps, pacing=self._pacing
        )
        for attempt in leased:
            self._running[attempt.id] = tasks.create_task(self._carry_out(attempt))
        return len(leased)

    async def _carry_out(self, attempt: Attempt) -> None:
        call_id = self._new_call_id()

        async def dial() -> None:
            placed = replace(attempt, state=AttemptState.PLACED, call_id=call_id)
            order = self._order(placed) if self._order else None
            await self._store.attempts.place(attempt.id, self._worker, call_id, self._clock.now(), order)
            await self._wait_for(placed, self._place)

        await self._guard(attempt, dial())

    async def _guard(self, attempt: Attempt, work: Coroutine[object, object, None]) -> None:
        """One attempt must not end the others: what goes wrong is left to the search for orphans."""
        try:
            await work
        except LeaseLost as error:
            _log.warning("lease lost: %s", error)
        except NotDialled as error:
            _log.warning("not dialled: %s", error)
        except Exception:
            _log.exception("attempt %s is left to the search for orphans", attempt.id)
        finally:
            self._running.pop(attempt.id, None)
            self._wake.set()

    async def _wait_for(self, attempt: Attempt, place: Place) -> None:
        """Settle what came of a call. One that is lost may have rung, and counts as a conversation until it is found.

        Raises NotDialled.
        """
        try:
            outcome = await place(attempt)
        except NotDialled:
            raise
        except Exception as error:
            _log.log(logging.ERROR, "placing attempt %s failed: %s", attempt.id, error,
                     exc_info=not isinstance(error, CallLost))  # fmt: skip
            failed = Outcome(Disposition.FAILED, why=repr(error)[:200], call_id=attempt.call_id)
            await self._settle(attempt, failed, lost=True)
        else:
            await self._settle(attempt, replace(outcome, call_id=outcome.call_id or attempt.call_id))

    async def _settle(self, attempt: Attempt, outcome: Outcome, *, lost: bool = False) -> None:
        now = self._clock.now()
        following = await self._following(attempt, outcome, now)
        gives_way = outcome.disposition is Disposition.UNREACHABLE and attempt.purpose is not Purpose.AGENT
        for patience_s in (0.2, 1.0, 5.0, None):
            try:
                await self._store.attempts.settle(
                    attempt.id,
                    self._worker,
                    outcome,
                    now,
                    following,
                    self._messages(attempt, outcome, now),
                    lost=lost,
                    retires=self._retires(outcome, following),
                    next_number_at=now + NEXT_NUMBER_AFTER if gives_way else None,
                )
                return
            except DatabaseError:
                if patience_s is None:
                    raise
                await asyncio.sleep(patience_s)

    def _messages(self, attempt: Attempt, outcome: Outcome, now: dt.datetime) -> Sequence[PlannedMessage]:
        if not self._in_writing or outcome.promise is None:
            return ()
        return promise_messages(outcome.promise, attempt.number, now)

    @staticmethod
    def _retires(outcome: Outcome, following: Sequence[NextAttempt]) -> bool:
        """A number that is not the debtor's, or is dead after all tries, is not dialled again."""
        return not following and outcome.disposition in (Disposition.WRONG_NUMBER, Disposition.UNREACHABLE)

    async def _following(self, attempt: Attempt, outcome: Outcome, now: dt.datetime) -> Sequence[NextAttempt]:
        known = [other for other in reversed(await self._store.attempts.of_case(attempt.case.id)) if other.disposition]
        past = [
            other.disposition
            for other in known
            if other.campaign_id == attempt.campaign_id and other.disposition is not None and other.id != attempt.id
        ]
        tries = [
            Try(other.leased_at, other.disposition is not None and other.disposition.talked)
            for other in known
            if other.leased_at is not None and other.id != attempt.id
        ]
        tries.append(Try(attempt.leased_at or now, outcome.talked_to))
        return follow_up(attempt, outcome, [*past, outcome.disposition], now, self._policy, tries)

    async def _keep_leases(self) -> None:
        """Say three times per lease that we live."""
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            if self._running:
                await self._survives(
                    lambda: self._store.attempts.heartbeat(self._worker, list(self._running), self._clock.now())
                )

    async def _keep_house(self, tasks: asyncio.TaskGroup) -> None:
        """Take over or settle what the dead left, give agents back, close campaigns that are done."""
        kept_at: float | None = None
        while True:
            await self._survives(lambda: self._take_over(tasks))
            now = asyncio.get_running_loop().time()
            if kept_at is None or now - kept_at >= _HOUSEKEEPING_S:
                kept_at = now
                await self._survives(self.keep_house)
            await asyncio.sleep(_TAKE_OVER_S)

    async def _take_over(self, tasks: asyncio.TaskGroup) -> None:
        if self._adopt is None:
            return
        now, mine = self._clock.now(), list(self._running)
        for attempt_id in await self._store.lost_calls.never_ordered(self._worker, now, mine=mine, dead=self._dead()):
            _log.warning("attempt %s was leased by somebody who is gone, and never ordered: it waits again", attempt_id)
        abandoned = await self._store.attempts.adopt(self._worker, now, mine=list(self._running), dead=self._dead())
        for attempt in [*abandoned, *await self._store.lost_calls.found(self._worker, now)]:
            if attempt.id not in self._running:
                _log.warning("attempt %s was dialled by somebody who is gone; its call is looked for", attempt.id)
                self._running[attempt.id] = tasks.create_task(
                    self._guard(attempt, self._wait_for(attempt, self._adopt))
                )

    async def keep_house(self) -> list[Attempt]:
        """One round of housekeeping; the orphans that were settled."""
        now = self._clock.now()

        def plan(attempt: Attempt) -> tuple[NextAttempt, ...]:
            failed = Outcome(Disposition.FAILED)
            return follow_up(attempt, failed, [Disposition.FAILED] * attempt.tries, now, self._policy)

        orphans = await self._store.attempts.resolve_orphans(now, plan)
        for orphan in orphans:
            _log.warning("worker %s is gone: attempt %s settled as failed", orphan.leased_by, orphan.id)
        for agent in await self._store.agents.give_back_lost(now):
            _log.warning("agent %s was reserved for a call that is over: ready again", agent)
        await self._store.campaigns.finish_done(now)
        await self._tell_of_breakers(now)
        return orphans

    async def _tell_of_breakers(self, now: dt.datetime) -> None:
        """One alert for each campaign that begins to rest; a supervisor must see to its lines."""
        if self._pacing is None:
            return
        pulses = await self._store.dialling.pulses(now, self._pacing)
        resting = {pulse.campaign_id: pulse for pulse in pulses if pulse.breaker.state is not BreakerState.CLOSED}
        for campaign_id in resting.keys() - self._resting:
            pulse = resting[campaign_id]
            text = f"任务“{pulse.name}”连续 {pulse.breaker.failures} 通呼叫失败，已熔断，稍后试拨：请检查线路"
            await self._store.alerts.ring(AlertKind.BREAKER_OPEN, text, now)
        self._resting = set(resting)

    async def _hear(self) -> None:
        """Look at once when campaigns start or pause, or all is let go on."""
        async for _ in self._store.dialling.listen():
            self._wake.set()

    async def _survives(self, work: Callable[[], Awaitable[object]]) -> bool:
        """Do some work; False when the database is away, which is waited out."""
        try:
            await work()
        except (DatabaseError, OSError) as error:
            _log.error("the database does not answer: %s", error)
            return False
        return True

    async def _nap(self, stop: asyncio.Event) -> None:
        """Sleep until something ended, it is time to ask again, or `stop`."""
        waits = [asyncio.create_task(stop.wait()), asyncio.create_task(self._wake.wait())]
        await asyncio.wait(waits, timeout=self._poll_s, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        self._wake.clear()
