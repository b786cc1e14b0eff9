"""Redial, follow-up and pacing: bounded, never earlier than allowed, and only where nobody was reached."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.campaign.care import load_follow_up
from voicebot.campaign.follow_up import follow_up
from voicebot.campaign.pacing import Load, pace
from voicebot.campaign.redial import next_try
from voicebot.domain.attempt import Attempt, AttemptState, NextAttempt, Outcome, Purpose, TargetKind
from voicebot.domain.case import Promise
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.outcome import Disposition

from .samples import NOON, new_case

POLICY = load_follow_up().redial
PASTS = st.lists(st.sampled_from(list(Disposition)), min_size=1, max_size=12)
MOMENTS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2030, 1, 1)).map(lambda t: t.replace(tzinfo=SHANGHAI))
ATTEMPT = Attempt(1, new_case(1).case, "+8613800000001", TargetKind.DEBTOR, AttemptState.PLACED, NOON)


@given(PASTS, MOMENTS, st.none() | MOMENTS)
def test_the_next_try_is_later_and_never_before_it_is_allowed(
    past: list[Disposition], now: dt.datetime, not_before: dt.datetime | None
) -> None:
    at = next_try(past, now, POLICY, not_before)
    if at is not None:
        assert at > now and (not_before is None or at >= not_before)
        assert past[-1] in POLICY.waits and len(past) < POLICY.most_tries
        assert at <= max(now + dt.timedelta(days=4), not_before or now)


@given(st.sampled_from(list(Disposition)), MOMENTS)
def test_tries_come_to_an_end_and_waits_never_shrink(disposition: Disposition, now: dt.datetime) -> None:
    past, waits = [disposition], []
    while (at := next_try(past, now, POLICY)) is not None:
        waits.append(at - now)
        now, past = at, [*past, disposition]
    assert len(past) <= POLICY.most_tries
    if disposition is not Disposition.REJECTED and disposition is not Disposition.UNREACHABLE:
        assert waits == sorted(waits)


@pytest.mark.parametrize("disposition", [d for d in Disposition if d.talked and d not in POLICY.waits])
def test_an_answer_is_not_redialled(disposition: Disposition) -> None:
    assert next_try([disposition], NOON, POLICY) is None


def test_a_rejection_ends_the_day() -> None:
    late = NOON.replace(hour=9)
    at = next_try([Disposition.REJECTED], late, POLICY)
    assert at is not None and at.date() > late.date()


def test_a_promise_is_brought_to_mind_on_its_day_unless_it_was_made_on_it() -> None:
    friday = Promise(dt.date(2026, 11, 27), 100, confirmed=True)
    made = follow_up(ATTEMPT, Outcome(Disposition.PROMISE_TO_PAY, True, promise=friday), [], NOON, POLICY)
    assert [(n.purpose, n.script, n.at.isoformat()) for n in made] == [
        (Purpose.PROMISE_DAY, "promise-day", "2026-11-27T15:00:00+08:00"),
    ]
    today = Promise(NOON.date(), 100)
    assert follow_up(ATTEMPT, Outcome(Disposition.PROMISE_TO_PAY, True, promise=today), [], NOON, POLICY) == ()


def test_after_an_agent_rang_the_agent_says_what_follows() -> None:
    by_hand = dataclasses.replace(ATTEMPT, purpose=Purpose.AGENT)
    for outcome in (Outcome(Disposition.NO_ANSWER), Outcome(Disposition.FAILED), Outcome(Disposition.CALLBACK, True)):
        assert follow_up(by_hand, outcome, [outcome.disposition], NOON, POLICY) == ()


def test_callbacks_come_at_the_time_that_was_named_and_not_in_the_past() -> None:
    named = Outcome(Disposition.CALLBACK, True, callback_at=NOON + dt.timedelta(hours=5))
    assert follow_up(ATTEMPT, named, [], NOON, POLICY) == (NextAttempt(NOON + dt.timedelta(hours=5), Purpose.CALLBACK),)
    past = Outcome(Disposition.CALLBACK, True, callback_at=NOON - dt.timedelta(hours=5))
    assert follow_up(ATTEMPT, past, [], NOON, POLICY)[0].at == NOON
    unnamed = Outcome(Disposition.CALLBACK, True, callback_wanted=True)
    assert follow_up(ATTEMPT, unnamed, [], NOON, POLICY)[0].at > NOON


@pytest.mark.parametrize(
    "disposition", [Disposition.DO_NOT_CALL, Disposition.WRONG_NUMBER, Disposition.COMPLAINT, Disposition.VULNERABLE]
)
def test_after_a_stop_nothing_is_planned_whatever_else_was_said(disposition: Disposition) -> None:
    outcome = Outcome(disposition, True, promise=Promise(NOON.date(), 1), callback_at=NOON)
    assert follow_up(ATTEMPT, outcome, [disposition], NOON, POLICY) == ()


@given(
    st.integers(0, 50),
    st.integers(0, 50),
    st.none() | st.integers(0, 50),
    st.integers(0, 5),
    st.none() | st.integers(0, 5),
)
def test_pacing_never_exceeds_capacity_and_stops_when_people_queue(
    running: int, capacity: int, lines: int | None, waiting: int, ready: int | None
) -> None:
    more = pace(Load(running, capacity, lines, waiting, ready))
    assert 0 <= more <= max(0, capacity - running)
    assert more <= (capacity if lines is None else lines)
    if waiting > (ready or 0):
        assert more == 0
