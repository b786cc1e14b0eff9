"""A town of debtors with telephones, on virtual time: who is rung when, what came of it, and lines that die."""

from __future__ import annotations

import asyncio
import datetime as dt
import heapq
import itertools
import random
from dataclasses import dataclass, field

from voicebot.campaign.placement import CallLost
from voicebot.domain.attempt import Attempt, Outcome
from voicebot.domain.case import Promise
from voicebot.domain.clock import FixedClock
from voicebot.domain.outcome import Disposition
from voicebot.domain.records import CallRecord
from voicebot.store import Store

ANSWERS = (
    (Disposition.NO_ANSWER, 0.30, 40),
    (Disposition.BUSY, 0.08, 6),
    (Disposition.VOICEMAIL, 0.07, 25),
    (Disposition.REJECTED, 0.05, 15),
    (Disposition.UNREACHABLE, 0.04, 8),
    (Disposition.PROMISE_TO_PAY, 0.22, 95),
    (Disposition.REFUSAL, 0.10, 60),
    (Disposition.CALLBACK, 0.06, 50),
    (Disposition.WRONG_NUMBER, 0.03, 20),
    (Disposition.DISPUTE, 0.05, 70),
)
"""What a call comes to, how often, and after how many seconds on average."""
RECOVERED_AFTER = dt.timedelta(minutes=4)
"""So long a line that died takes to come back and to seal what it recorded."""


@dataclass
class Rung:
    """One call that really rang."""

    attempt: Attempt
    at: dt.datetime
    ends: dt.datetime
    outcome: Outcome
    cut: bool = False
    told: list[asyncio.Future[Outcome]] = field(default_factory=list)


class Town:
    def __init__(self, store: Store, clock: FixedClock, seed: int) -> None:
        self._store, self._clock, self._chance = store, clock, random.Random(seed)
        self._endings: list[tuple[dt.datetime, int, str]] = []
        self._count = itertools.count()
        self.calls: dict[str, Rung] = {}
        self.waiting = 0
        self.most_at_once: dict[str, int] = {}

    # --- what the dialler sees -----------------------------------------------------------------------------

    async def dial(self, attempt: Attempt) -> Outcome:
        """Ring; the number of the call is new or the dialler dials something twice."""
        assert attempt.call_id is not None
        assert attempt.call_id not in self.calls, "one order is dialled twice"
        now = self._clock.now()
        rung = self._ring(attempt, now)
        self.calls[attempt.call_id] = rung
        heapq.heappush(self._endings, (rung.ends, next(self._count), attempt.call_id))
        under_way = [c for c in self.calls.values() if c.ends > now and c.attempt.campaign_id == attempt.campaign_id]
        campaign = attempt.campaign_id or ""
        self.most_at_once[campaign] = max(self.most_at_once.get(campaign, 0), len(under_way))
        return await self.hear(attempt)

    async def hear(self, attempt: Attempt) -> Outcome:
        """Wait for a call that was dialled, perhaps by a dialler that is dead."""
        assert attempt.call_id is not None
        rung = self.calls.get(attempt.call_id)
        if rung is None:
            raise CallLost(f"call {attempt.call_id} was never begun")
        if rung.ends <= self._clock.now():
            if rung.cut and rung.ends + RECOVERED_AFTER > self._clock.now():
                raise CallLost("the line died over it")
            return rung.outcome
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        rung.told.append(future)
        self.waiting += 1
        try:
            return await future
        finally:
            self.waiting -= 1

    # --- time ----------------------------------------------------------------------------------------------

    def next_ending(self) -> dt.datetime | None:
        return self._endings[0][0] if self._endings else None

    async def pass_time(self) -> None:
        """End what has ended by now."""
        while self._endings and self._endings[0][0] <= self._clock.now():
            _, _, call_id = heapq.heappop(self._endings)
            rung = self.calls[call_id]
            if rung.cut:
                await self._recover(call_id, rung)
            self._tell(rung)

    def kill_the_line(self) -> int:
        """Cut every call under way. What was said until then is known once the line has come back."""
        now, cut = self._clock.now(), 0
        for call_id, rung in self.calls.items():
            if rung.ends > now:
                rung.cut, rung.ends, cut = True, now, cut + 1
                heapq.heappush(self._endings, (now + RECOVERED_AFTER, next(self._count), call_id))
                self._tell(rung, CallLost("the line died over it"))
        self._endings = [e for e in self._endings if not self.calls[e[2]].cut or e[0] > now + RECOVERED_AFTER / 2]
        heapq.heapify(self._endings)
        return cut

    def _tell(self, rung: Rung, error: CallLost | None = None) -> None:
        for future in rung.told:
            if future.done():
                continue
            if error is None:
                future.set_result(rung.outcome)
            else:
                future.set_exception(error)
        rung.told.clear()

    async def _recover(self, call_id: str, rung: Rung) -> None:
        """The line is back and writes what it found of a call that it died over."""
        record = CallRecord(
            call_id, "outbound", rung.attempt.number, rung.at, rung.attempt.case.id, rung.attempt.id, worker="line-0"
        )
        await self._store.calls.start(record)
        disposition = rung.outcome.disposition.value
        await self._store.calls.close(call_id, ended_at=self._clock.now(), disposition=disposition)

    def _ring(self, attempt: Attempt, now: dt.datetime) -> Rung:
        kinds, weights = [a[:1] + a[2:] for a in ANSWERS], [a[1] for a in ANSWERS]
        kind, mean_s = self._chance.choices(kinds, weights)[0]
        ends = now + dt.timedelta(seconds=max(3.0, self._chance.expovariate(1 / mean_s)))
        disposition = Disposition(kind)
        talked = disposition.talked and disposition is not Disposition.VOICEMAIL
        promise = None
        if disposition is Disposition.PROMISE_TO_PAY:
            promise = Promise(now.date() + dt.timedelta(days=3), attempt.case.amount_fen, confirmed=True)
        outcome = Outcome(
            disposition,
            talked_to=talked,
            call_id=attempt.call_id,
            promise=promise,
            callback_at=now + dt.timedelta(hours=3) if disposition is Disposition.CALLBACK else None,
        )
        return Rung(attempt, now, ends, outcome)
