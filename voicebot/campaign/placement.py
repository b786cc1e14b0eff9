"""Placement: an attempt becomes a call on one of the workers, and the call's journal becomes its outcome."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Sequence

from voicebot.call.outcome import CallOutcome, outcome_of
from voicebot.campaign.call_look import CallLook
from voicebot.campaign.stops import contact_stops
from voicebot.domain.attempt import Attempt, Outcome
from voicebot.domain.clock import Clock
from voicebot.domain.journal import FactKind
from voicebot.domain.records import CallRecord
from voicebot.store import Store
from voicebot.store.commands import DialOrdered
from voicebot.telemetry import traces
from voicebot.worker.commands import DIAL, address_of
from voicebot.worker.turns import Turns

TAKEN_WITHIN_S = 5.0
"""An order that no line has taken by then is taken back: what the rulebook said then may not hold any more."""
BEGUN_WITHIN_S = 120.0
"""A line that took the order and has not begun the call by then died over it."""
LOOK_EVERY_S = 1.0
AGAIN_AFTER = dt.timedelta(seconds=10)
"""When an attempt is asked for again that no line took."""
LONGEST_CALL_S = 3600.0
"""A call whose end is not reported by then ran on a machine that will not come back."""


class NotDialled(RuntimeError):
    """No line took the order, or the one that did may not ring; the attempt waits again and nothing is counted."""


class CallLost(RuntimeError):
    """A line took the order and what became of the call is not known: it may have rung."""


class Placement:
    """Orders calls of the workers in turn and waits for them. Run `follow` beside it."""

    def __init__(
        self,
        store: Store,
        workers: Sequence[str] | Callable[[], Sequence[str]],
        clock: Clock,
        may_dial: Callable[[str], bool] = lambda worker: True,
    ) -> None:
        """`may_dial`: whether a worker would take the order now; where none would, they take turns all the same."""
        self._store = store
        self._look = CallLook(store)
        self._turns = Turns(workers, may_dial)
        self._clock = clock
        self._closed: dict[str, asyncio.Event] = {}

    async def follow(self) -> None:
        """Hear of calls that are over, until cancelled."""
        async for call_id in self._store.calls.ends():
            waiting = [self._closed[call_id]] if call_id in self._closed else []
            for event in waiting if call_id else list(self._closed.values()):
                event.set()

    async def place(self, attempt: Attempt) -> Outcome:
        """Dial an attempt whose call id is set; returns when the call is over. Raises NotDialled, CallLost."""
        order = self.order(attempt)
        await self._store.commands.issue(order.address, DIAL, self._clock.now(), by="dialler", payload=order.payload)
        return await self.resume(attempt)

    def order(self, attempt: Attempt) -> DialOrdered:
        """The order for the line that is next in turn; to be written together with the attempt's being placed."""
        payload = {
            "call_id": attempt.call_id,
            "attempt_id": attempt.id,
            "case_id": attempt.case.id,
            "target": attempt.number,
            "script": attempt.script,
            "caller_id": attempt.shows or attempt.campaign_id,
        }
        return DialOrdered(address_of(self._turns.next()), payload)

    async def resume(self, attempt: Attempt) -> Outcome:
        """Wait for a call that was ordered, perhaps by a control process that is gone. Raises NotDialled, CallLost."""
        assert attempt.call_id is not None
        closed = self._closed[attempt.call_id] = asyncio.Event()
        try:
            with traces.span("wait for the call", attempt.call_id, attempt=attempt.id):
                record = await self._wait(attempt, attempt.call_id, closed)
        finally:
            del self._closed[attempt.call_id]
        with traces.span("read the outcome", attempt.call_id, attempt=attempt.id):
            return await self._read(attempt, record)

    async def _wait(self, attempt: Attempt, call_id: str, closed: asyncio.Event) -> CallRecord:
        ordered, is_taken, woken = time.monotonic(), False, False
        while True:
            record = await self._look.find(call_id)
            if record is not None and record.lost:
                raise CallLost(f"call {call_id}: {record.why}")
            if record is not None and record.ended_at is not None:
                return record
            if record is None and (woken or is_taken) and await self._store.lost_calls.is_undone(attempt):
                raise NotDialled(f"the line that took call {call_id} was not to ring: the attempt says why")
            waited = time.monotonic() - ordered
            if record is None and waited > TAKEN_WITHIN_S and not is_taken:
                await self._take_back(attempt)
                is_taken = True
            if record is None and waited > BEGUN_WITHIN_S:
                raise CallLost(f"call {call_id} was ordered and never begun: see what became of its worker")
            if waited > LONGEST_CALL_S:
                raise CallLost(f"the end of call {call_id} was never reported: see what became of its worker")
            closed.clear()
            woken = True
            try:
                await asyncio.wait_for(closed.wait(), LOOK_EVERY_S)
            except TimeoutError:
                woken = False

    async def _take_back(self, attempt: Attempt) -> None:
        """Raises NotDialled where no line has taken the order, and does nothing where one has."""
        now = self._clock.now()
        if await self._store.lost_calls.take_back(attempt, now + AGAIN_AFTER, now):
            raise NotDialled(f"no line took call {attempt.call_id}: see whether the workers run and have room")

    async def _read(self, attempt: Attempt, record: CallRecord) -> Outcome:
        facts = await self._store.facts.of(record.id)
        outcome = outcome_of(facts)
        await self._stop_contact(attempt, record.id, outcome)
        callback = outcome.callbacks[-1] if outcome.callbacks else None
        return Outcome(
            disposition=outcome.disposition,
            talked_to=any(fact.kind is FactKind.HEARD for fact in facts) and outcome.answered,
            why=record.why,
            call_id=record.id,
            promise=outcome.promise,
            callback_at=callback.at if callback else None,
            callback_wanted=callback is not None,
        )

    async def _stop_contact(self, attempt: Attempt, call_id: str, outcome: CallOutcome) -> None:
        """What the callee asked for holds at once, before anything else is dialled."""
        stops = contact_stops(outcome, attempt.number, attempt.case.debtor.id, call_id, self._clock.now())
        for stop in stops:
            await self._store.contacts.stop(stop)
