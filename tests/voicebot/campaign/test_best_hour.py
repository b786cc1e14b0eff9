"""The hour at which somebody answers: learned, bounded, and never before it is allowed."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.campaign.best_hour import BANDS, Try, best_time, chance
from voicebot.campaign.care import load_follow_up
from voicebot.campaign.follow_up import follow_up
from voicebot.domain.attempt import Outcome
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.outcome import Disposition

from .samples import NOON
from .test_redial import ATTEMPT

DAY = dt.timedelta(days=1)
MOMENTS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2028, 1, 1)).map(lambda t: t.replace(tzinfo=SHANGHAI))
TRIES = st.lists(st.builds(Try, MOMENTS, st.booleans()), max_size=20)


def at(clock: str, day: int = 24) -> dt.datetime:
    hour, minute = clock.split(":")
    return dt.datetime(2026, 11, day, int(hour), int(minute), tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("earliest", "tries", "wanted"),
    [
        (at("10:30"), [], at("10:30")),
        (at("10:30"), [Try(at("10:00", 23), answered=False)], at("14:00")),
        (at("10:30"), [Try(at("18:10", 20), answered=True)], at("17:00")),
        (at("18:30"), [Try(at("9:30", 20), answered=True)], at("9:00", 25)),
        (at("18:30"), [Try(at("18:10", 20), answered=True)], at("18:30")),
        (at("12:30"), [], at("14:00")),
        (at("22:00"), [], at("9:00", 25)),
        (at("10:30"), [Try(at("12:30", 20), answered=True)], at("10:30")),
    ],
)
def test_the_next_try_goes_where_answers_were(earliest: dt.datetime, tries: list[Try], wanted: dt.datetime) -> None:
    assert best_time(earliest, tries, DAY) == wanted


@given(MOMENTS, TRIES, st.timedeltas(dt.timedelta(), dt.timedelta(days=3)))
def test_it_is_never_earlier_and_never_later_than_asked_for(
    earliest: dt.datetime, tries: list[Try], within: dt.timedelta
) -> None:
    assert earliest <= best_time(earliest, tries, within) <= earliest + within


@given(TRIES, st.integers(0, len(BANDS) - 1), MOMENTS)
def test_an_answer_speaks_for_its_hour_and_a_miss_against(tries: list[Try], band: int, day: dt.datetime) -> None:
    there = dt.datetime.combine(day.date(), BANDS[band][0], SHANGHAI)
    answered, missed = [*tries, Try(there, answered=True)], [*tries, Try(there, answered=False)]
    assert chance(band, answered) > chance(band, tries) > chance(band, missed)


def test_who_was_busy_is_rung_soon_whatever_the_hour() -> None:
    tries = [Try(at("18:10", 20), answered=True)]
    for disposition, clock in ((Disposition.BUSY, "10:30"), (Disposition.NO_ANSWER, "17:00")):
        (planned,) = follow_up(ATTEMPT, Outcome(disposition), [disposition], NOON, load_follow_up().redial, tries)
        assert planned.at == at(clock)
