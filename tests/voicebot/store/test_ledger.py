"""Counters never exceed their caps, whatever is leased, settled, released and lost, in any order."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter

import psycopg
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from voicebot.domain.attempt import Attempt, Caps, NextAttempt, Outcome
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.outcome import Disposition
from voicebot.domain.permission import Reached
from voicebot.store import Store

from .samples import NOON, allow, new_case

CAPS = Caps(
    attempts_per_number_day=2,
    conversations_per_debtor_day=1,
    attempts_per_debtor_week=5,
    conversations_per_debtor_week=2,
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("lease"), st.integers(1, 4)),
        st.tuples(st.just("settle"), st.sampled_from(["no_answer", "busy", "refusal"])),
        st.tuples(st.just("release"), st.none()),
        st.tuples(st.just("lose"), st.none()),
        st.tuples(st.just("wait"), st.integers(1, 40)),
    ),
    min_size=6,
    max_size=30,
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking over a database takes minutes
)
@example(steps=[("lease", 4), ("settle", "refusal"), ("settle", "refusal"), ("wait", 1), ("lease", 4)])
@given(steps=STEPS)
def test_counters_never_exceed_caps(database_url: str, steps: list[tuple[str, object]]) -> None:
    asyncio.run(_check(database_url, steps))


async def _check(url: str, steps: list[tuple[str, object]]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE attempts, cases, debtors, ledger, numbers CASCADE")
    async with Store.from_url(url, pool_size=1) as store:
        # Two debtors with two cases each; both also answer at one shared number.
        shared = "+8613700000000"
        cases = [new_case(n, debtor=n % 2, number=shared if n < 2 else None) for n in range(4)]
        for case in cases:
            await store.cases.save([case], NOON)
            await store.attempts.add(case.case.id, "reminder", NOON, number=case.numbers[0].number)
        await _walk(store, steps)
        past = [p for case in cases for p in await store.attempts.of_case(case.case.id)]
    _audit([p for p in past if p.leased_at is not None], _reached(url))


async def _walk(store: Store, steps: list[tuple[str, object]]) -> None:
    now, held = NOON, []
    for step, value in steps:
        if step == "lease":
            held += [a.id for a in await store.attempts.lease("w", int(str(value)), now, allow, caps=CAPS)]
        elif step == "wait":
            now += dt.timedelta(hours=int(str(value)))
        elif step == "lose":
            again = [NextAttempt(now)]
            await store.attempts.resolve_orphans(now + dt.timedelta(hours=1), lambda a, again=again: again)
            held.clear()
        elif held and step == "settle":
            outcome = Outcome(Disposition(str(value)), talked_to=value == "refusal")
            await store.attempts.settle(held.pop(0), "w", outcome, now, [NextAttempt(now)])
        elif held:
            await store.attempts.release(held.pop(0), "w", now)


def _reached(url: str) -> dict[int, str | None]:
    with psycopg.connect(url) as connection:
        return dict(connection.execute("SELECT id, reached FROM attempts").fetchall())


def _audit(used: list[Attempt], reached: dict[int, str | None]) -> None:
    """An independent count over the attempts themselves."""
    numbers: Counter[object] = Counter()
    talks: Counter[object] = Counter()
    tries: Counter[object] = Counter()
    weekly_talks: Counter[object] = Counter()
    for attempt in used:
        day = attempt.leased_at.astimezone(SHANGHAI).date()
        debtor = attempt.case.debtor.id
        talked = reached[attempt.id] in (None, Reached.CONVERSATION)
        numbers[attempt.number, day] += 1
        talks[debtor, day] += talked
        for later in range(7):
            tries[debtor, day + dt.timedelta(days=later)] += 1
            weekly_talks[debtor, day + dt.timedelta(days=later)] += talked
    assert max(numbers.values(), default=0) <= CAPS.attempts_per_number_day
    assert max(talks.values(), default=0) <= CAPS.conversations_per_debtor_day
    assert max(tries.values(), default=0) <= CAPS.attempts_per_debtor_week
    assert max(weekly_talks.values(), default=0) <= CAPS.conversations_per_debtor_week
