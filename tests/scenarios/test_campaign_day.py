"""A thousand cases, one day, one dialler after the other: whatever dies, nobody is rung twice and nothing is lost.

Time is virtual and moves only when everybody waits; database, leases, rulebook and dialler are the real ones. Every
call that rang is judged afterwards by the second rulebook of the tests, on what really happened before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import random
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, cast

import pytest
from sqlalchemy import text

from tests.voicebot.compliance.oracle import may_dial
from voicebot.campaign.dialler import Dialler
from voicebot.campaign.permission import caps_of, judge_by
from voicebot.domain.attempt import AttemptState
from voicebot.domain.campaign import Campaign, CampaignState
from voicebot.domain.case import Case, Creditor, Debtor
from voicebot.domain.clock import SHANGHAI, FixedClock
from voicebot.domain.records import Number
from voicebot.store import Store
from voicebot.store.attempts import LEASE
from voicebot.store.cases import NewCase
from voicebot.store.database import is_away
from voicebot.store.ledger import CALLER_CALLS

from .town import Rung, Town

MORNING = dt.datetime(2026, 11, 24, 8, 45, tzinfo=SHANGHAI)
EVENING = dt.datetime(2026, 11, 24, 20, 30, tzinfo=SHANGHAI)
CREDITOR = Creditor("demo", "示例消费金融有限公司", "示例客户服务中心", "4000000000")
CONCURRENCY = {"k0": 26, "k1": 8}
CALLERS = ("+861055500001", "+861055500002", "+861055500003")
MOST_PER_CALLER = 150
AT_ONCE = 10
"""So many the dialler takes at a time where there is room."""


@dataclass
class Tasks:
    """The tasks of one dialler, which die with it."""

    all: set[asyncio.Task[Any]] = field(default_factory=set)

    def create_task(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self.all.add(task)
        task.add_done_callback(self.all.discard)
        return task


class Day:
    """Drives dialler, town and clock; kills what it is told to."""

    def __init__(self, store: Store, seed: int) -> None:
        self.clock = FixedClock(MORNING)
        self.store, self.chance = store, random.Random(seed)
        self.town = Town(store, self.clock, seed)
        self.deaths: Counter[str] = Counter()
        self._number = 0
        self._born()

    def _born(self) -> None:
        self._number += 1
        self.tasks = Tasks()
        self.dialler = Dialler(
            self.store,
            f"control-{self._number}",
            self.town.dial,
            judge_by(),
            caps=caps_of(),
            capacity=40,
            clock=self.clock,
            adopt=self.town.hear,
        )
        self._house_at = self._beat_at = self.clock.now()

    async def live(self, until: dt.datetime) -> None:
        deaths = self._deaths(until)
        while self.clock.now() < until:
            await self._survive(self._round())
            while deaths and deaths[0][0] <= self.clock.now():
                await self._die(deaths.pop(0)[1])
            await self._all_wait()
            await self._sleep([until, self._house_at, *(at for at, _ in deaths[:1])])
            await self._survive(self.town.pass_time())

    async def _sleep(self, until: list[dt.datetime]) -> None:
        """To the next moment at which anything happens, some seconds at least."""
        if self.dialler.running:
            until.append(self._beat_at)
        if (ending := self.town.next_ending()) is not None:
            until.append(ending)
        soonest = max(min(until), self.clock.now() + dt.timedelta(seconds=10))
        self.clock.advance(soonest - self.clock.now())

    async def _round(self) -> None:
        now, tasks = self.clock.now(), cast(asyncio.TaskGroup, self.tasks)
        if now >= self._beat_at and self.dialler.running:
            self._beat_at = now + LEASE / 2
            running = list(self.dialler._running)
            await self.store.attempts.heartbeat(self.dialler._worker, running, now)
        if now >= self._house_at:
            self._house_at = now + dt.timedelta(minutes=4)
            await self.dialler._take_over(tasks)
            await self.dialler.keep_house()
        due = await self.store.attempts.next_due()
        while due is not None and due <= now and await self.dialler._lease(tasks) == AT_ONCE:
            pass

    async def _all_wait(self) -> None:
        """Until every attempt of the living dialler is a call that goes on."""
        async with asyncio.timeout(60):
            while self.town.waiting < self.dialler.running:  # noqa: ASYNC110 - the database is what is waited for
                await asyncio.sleep(0.002)

    async def _survive(self, work: Coroutine[Any, Any, None]) -> None:
        """As the dialler does: a database that is away is asked again."""
        try:
            await work
        except Exception as error:
            if not is_away(error):
                raise

    def _deaths(self, until: dt.datetime) -> list[tuple[dt.datetime, str]]:
        kinds = ["control", "line", "database"] * 6
        seconds = (until - MORNING).total_seconds()
        times = sorted(MORNING + dt.timedelta(seconds=self.chance.uniform(0.03, 0.95) * seconds) for _ in kinds)
        self.chance.shuffle(kinds)
        return list(zip(times, kinds, strict=True))

    async def _die(self, what: str) -> None:
        self.deaths[what] += 1
        if what == "line":
            self.town.kill_the_line()
        elif what == "database":
            await self._in_the_middle(self._cut_connections())
        else:
            await self._in_the_middle(self._kill_control())

    async def _in_the_middle(self, death: Coroutine[Any, Any, None]) -> None:
        """Let calls end and others begin, and strike while all that is being written."""
        await self.town.pass_time()
        work = asyncio.create_task(self._survive(self._round()))
        await asyncio.sleep(self.chance.uniform(0, 0.03))
        await death
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work

    async def _cut_connections(self) -> None:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity " \
                 "WHERE datname = current_database() AND pid <> pg_backend_pid()"  # fmt: skip
        await self._survive(self._execute(others))

    async def _execute(self, statement: str) -> None:
        async with self.store._database.begin() as connection:
            await connection.execute(text(statement))

    async def _kill_control(self) -> None:
        dying = list(self.tasks.all)
        for task in dying:
            task.cancel()
        await asyncio.gather(*dying, return_exceptions=True)
        self._born()


def new_case(n: int) -> NewCase:
    """Every fiftieth debtor has two bills, and every seventieth shares a number with somebody."""
    person = n - 1 if n % 50 == 1 else n
    number = n - 3 if n % 70 == 5 else person
    debtor = Debtor(f"D{person:05d}", f"演示{person}", id_last4="2315", birth_mmdd="0812")
    case = Case(f"C{n:05d}", debtor, CREDITOR, "消费贷", 100_000 + n, 12, MORNING.date())
    return NewCase(case, (Number(f"+8613800{number:06d}"), Number(f"+8613900{person:06d}", rank=1)))


async def begin(store: Store, cases: int) -> None:
    """Two campaigns, the smaller one more urgent and with numbers to show in turn."""
    await store.cases.save([new_case(n) for n in range(cases)], MORNING)
    for index, (id_, most) in enumerate(CONCURRENCY.items()):
        mine = tuple(f"C{n:05d}" for n in range(cases) if (n % 4 == 0) == (index == 1))
        made = Campaign(id_, id_, "reminder", CampaignState.DRAFT, MORNING, max_concurrency=most, priority=index * 5)
        made = _with(made, mine, CALLERS if index else ())
        await store.campaigns.save(made)
        await store.campaigns.start(id_, MORNING)


def _with(campaign: Campaign, cases: tuple[str, ...], callers: tuple[str, ...]) -> Campaign:
    segment = replace(campaign.segment, case_ids=cases)
    return replace(campaign, segment=segment, callers=callers, calls_per_caller=MOST_PER_CALLER if callers else None)


def history_before(rung: Rung, all_calls: list[Rung]) -> list[dict[str, Any]]:
    """What really happened to this debtor and this number before; a call under way may become a conversation."""
    who, number = rung.attempt.case.debtor.id, rung.attempt.number
    past = []
    for other in all_calls:
        about = other.attempt.case.debtor.id == who or other.attempt.number == number
        if other is not rung and about and other.at <= rung.at:
            reached = other.outcome.reached.value if other.ends <= rung.at else "conversation"
            past.append({"at": other.at.isoformat(), "number": other.attempt.number, "outcome": reached})
    return past


def is_lawful(rung: Rung, all_calls: list[Rung]) -> bool:
    row = {
        "case": {"jurisdiction": "CN"},
        "target": {"number": rung.attempt.number, "kind": rung.attempt.target.value},
        "history": history_before(rung, all_calls),
        "stops": [],
        "consents": [],
    }
    return may_dial(row, rung.at)


@pytest.mark.slow
async def test_a_thousand_cases_in_a_day_of_crashes(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("voicebot.campaign.dialler").setLevel(logging.CRITICAL)  # it has much to say today
    await begin(store, 1000)
    day = Day(store, seed=11)
    await day.live(EVENING)
    calls = list(day.town.calls.values())
    assert day.deaths == {"control": 6, "line": 6, "database": 6}
    assert len(calls) > 900

    nobody_is_rung_against_the_law(calls)
    nobody_is_rung_twice_at_once(calls)
    assert all(day.town.most_at_once[campaign] <= most for campaign, most in CONCURRENCY.items())
    await what_came_of_calls_is_booked(store, day, calls)
    await every_case_goes_on_or_is_done(store)
    await the_counters_are_right(store, calls)


def nobody_is_rung_against_the_law(calls: list[Rung]) -> None:
    assert [rung.attempt.call_id for rung in calls if not is_lawful(rung, calls)] == []


def nobody_is_rung_twice_at_once(calls: list[Rung]) -> None:
    by_debtor: dict[str, list[Rung]] = {}
    for rung in calls:
        by_debtor.setdefault(rung.attempt.case.debtor.id, []).append(rung)
    for theirs in by_debtor.values():
        assert all(one.ends <= after.at for one, after in pairwise(sorted(theirs, key=lambda rung: rung.at)))
    assert len({rung.attempt.id for rung in calls}) == len(calls), "an attempt is one call"


async def what_came_of_calls_is_booked(store: Store, day: Day, calls: list[Rung]) -> None:
    """Also of those whose line, dialler or database died meanwhile."""
    wrong = []
    for rung in calls:
        found = await store.attempts.find(rung.attempt.id)
        assert found is not None
        if rung.ends < EVENING - dt.timedelta(minutes=15):
            right = found.disposition is rung.outcome.disposition and found.state is AttemptState.SETTLED
            wrong += [] if right else [(found.id, found.state, found.disposition, rung.outcome.disposition)]
    assert wrong == []
    promised = Counter(rung.attempt.case.id for rung in calls if rung.outcome.promise is not None)
    for case_id in promised:
        assert len(await store.promises.of_case(case_id)) == promised[case_id], "a promise is written once"


async def every_case_goes_on_or_is_done(store: Store) -> None:
    """No case fell between two chairs: a further try is planned, or its last call was an answer."""
    progress = await store.campaigns.all()
    assert sum(one.cases for one in progress) == 1000
    statement = """
        SELECT c.id FROM cases c WHERE NOT EXISTS (
            SELECT 1 FROM attempts a WHERE a.case_id = c.id AND (a.state IN ('waiting', 'leased', 'placed')
                OR a.disposition IN ('promise_to_pay', 'refusal', 'dispute', 'wrong_number', 'unreachable')))
    """
    async with store._database.begin() as connection:
        assert (await connection.execute(text(statement))).all() == []
        held = "SELECT count(*) FROM attempts WHERE state IN ('leased', 'placed')"
        assert (await connection.execute(text(held))).scalar_one() <= sum(CONCURRENCY.values())


async def the_counters_are_right(store: Store, calls: list[Rung]) -> None:
    """What is counted as used is what was leased, never less than what rang, and the law's most at most."""
    counted = """
        SELECT l.scope, l.key, l.used, count(a.id) AS leased,
            count(a.id) FILTER (WHERE a.reached = 'conversation' OR a.reached IS NULL) AS talks
        FROM ledger l LEFT JOIN attempts a ON a.leased_at IS NOT NULL AND l.key = CASE l.scope
            WHEN 'number_attempts' THEN a.number WHEN 'caller_calls' THEN a.shows ELSE a.debtor_id END
        GROUP BY l.scope, l.key, l.used
    """
    rung = Counter(call.attempt.number for call in calls)
    async with store._database.begin() as connection:
        for row in await connection.execute(text(counted)):
            wanted = row.talks if row.scope == "debtor_conversations" else row.leased
            assert row.used == wanted, row
            if row.scope == "number_attempts":
                assert row.used >= rung[row.key]
    shown = Counter(call.attempt.shows for call in calls if call.attempt.campaign_id == "k1")
    assert set(shown) <= {*CALLERS} and max(shown.values()) <= MOST_PER_CALLER
    assert max(shown.values()) - min(shown.values()) <= 25, f"numbers of {CALLER_CALLS} take turns"
