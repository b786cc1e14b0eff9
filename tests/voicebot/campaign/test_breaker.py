"""Breaker: it opens after failures in a row, tries one call at a time, rests longer each time, and closes again."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from voicebot.campaign.breaker import FAILURES, FIRST_REST, LONGEST_REST, breaker
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.pace import BreakerState, Settled

NOON = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)

SECOND = dt.timedelta(seconds=1)


def at(second: float, failed: bool = True, took: float = 1.0) -> Settled:
    return Settled(NOON + (second - took) * SECOND, NOON + second * SECOND, failed)


def row(count: int) -> tuple[Settled, ...]:
    return tuple(at(n) for n in range(count))


def test_it_opens_after_failures_in_a_row_and_tries_again_after_a_rest() -> None:
    past = row(FAILURES)
    last = past[-1].settled_at
    opened = breaker(past, last)
    assert opened.state is BreakerState.OPEN and opened.until == last + FIRST_REST
    assert breaker(past, last + FIRST_REST).state is BreakerState.TRIAL


def test_one_that_works_closes_it() -> None:
    assert breaker((*row(FAILURES - 1), at(60, failed=False), *row(1)), NOON).state is BreakerState.CLOSED
    assert breaker((*row(FAILURES), at(60, failed=False)), NOON + 61 * SECOND).failures == 0


def test_a_failed_trial_rests_twice_as_long() -> None:
    trial = at(FAILURES + FIRST_REST.total_seconds() + 5)
    again = breaker((*row(FAILURES), trial), trial.settled_at)
    assert again.state is BreakerState.OPEN and again.until == trial.settled_at + 2 * FIRST_REST


def test_calls_that_were_under_way_do_not_lengthen_the_rest() -> None:
    """Twenty were ringing when the trunk died; all fail within seconds."""
    past = (*row(FAILURES), *(at(FAILURES + n / 10, took=20) for n in range(20)))
    assert breaker(past, NOON + 8 * SECOND).until == row(FAILURES)[-1].settled_at + FIRST_REST


def test_what_failed_hours_ago_is_forgotten() -> None:
    assert breaker(row(50), NOON + dt.timedelta(hours=3)).state is BreakerState.CLOSED


@given(st.lists(st.tuples(st.floats(0, 600), st.booleans(), st.floats(0, 60)), max_size=60))
def test_no_rest_is_longer_than_the_longest(past: list[tuple[float, bool, float]]) -> None:
    settled = tuple(at(second, failed, took) for second, failed, took in sorted(past))
    now = NOON + 601 * SECOND
    found = breaker(settled, now)
    assert found.until is None or found.until <= now + LONGEST_REST
    if settled and not settled[-1].failed:
        assert found.state is BreakerState.CLOSED
