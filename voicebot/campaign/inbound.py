"""Inbound: what was agreed in calls that debtors made to us holds like what was agreed in ours."""

from __future__ import annotations

import datetime as dt
import logging

from voicebot.call.outcome import CallOutcome, outcome_of
from voicebot.campaign.follow_up import promise_reminders
from voicebot.campaign.stops import contact_stops
from voicebot.domain.case import Promise
from voicebot.domain.clock import Clock
from voicebot.domain.records import CallFilter, CallRecord
from voicebot.messages.planning import promise_messages
from voicebot.store import Store

_log = logging.getLogger(__name__)

LOOK_BACK = dt.timedelta(days=2)
"""Calls that ended while nobody followed are settled when somebody does again."""
_MOST = 1000


class InboundFollower:
    """Settles incoming calls; each once, however often it is told of them.

    `in_writing`: what is promised is also written down for the outbox.
    """

    def __init__(self, store: Store, clock: Clock, *, in_writing: bool = False) -> None:
        self._store = store
        self._clock = clock
        self._in_writing = in_writing

    async def run(self) -> None:
        """Settle calls as they end, until cancelled."""
        async for call_id in self._store.calls.ends():
            try:
                await (self.settle(call_id) if call_id else self.catch_up())
            except Exception:  # one call that can't be read must not end the settling of all others
                _log.exception("incoming call %s is not settled; tried again at the next start", call_id or "")

    async def catch_up(self) -> None:
        """Settle what ended lately."""
        since = self._clock.now() - LOOK_BACK
        records, _ = await self._store.calls.search(CallFilter(since=since), limit=_MOST)
        for record in reversed(records):
            await self._settle(record)

    async def settle(self, call_id: str) -> None:
        """Write the promise, callback and stops of one call, if it came in."""
        record = await self._store.calls.find(call_id)
        if record is not None:
            await self._settle(record)

    async def _settle(self, record: CallRecord) -> None:
        if record.direction != "inbound" or record.running:
            return
        outcome = outcome_of(await self._store.facts.of(record.id))
        await self._stop(record, outcome)
        if outcome.promise is not None and record.case_id is not None:
            await self._promise(record, record.case_id, outcome.promise)
        elif outcome.callbacks:
            await self._call_back(record, outcome)

    async def _stop(self, record: CallRecord, outcome: CallOutcome) -> None:
        case = await self._store.cases.find(record.case_id) if record.case_id else None
        debtor = case.debtor.id if case else None
        known = await self._store.contacts.stops_of(debtor, record.number, self._clock.now())
        if any(stop.call_id == record.id for stop in known):
            return
        for stop in contact_stops(outcome, record.number, debtor, record.id, self._clock.now()):
            await self._store.contacts.stop(stop)

    async def _promise(self, record: CallRecord, case_id: str, promise: Promise) -> None:
        """What waited for the case gives way to the reminders of the promise."""
        now = self._clock.now()
        await self._store.inbound.promise(
            case_id,
            record.id,
            promise,
            now,
            reminders=promise_reminders(promise, now),
            messages=promise_messages(promise, record.number, now) if self._in_writing else (),
        )

    async def _call_back(self, record: CallRecord, outcome: CallOutcome) -> None:
        """Booked for a person: the callers who need one are those the bot could not help."""
        if await self._store.promises.callback_of(record.id) is not None:
            return
        wanted = outcome.callbacks[-1]
        await self._store.promises.book_callback(
            record.case_id, record.id, record.number, wanted.at, wanted.reason, self._clock.now()
        )
