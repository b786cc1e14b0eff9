"""What an utterance adds to a promise, and when a callback falls."""

from __future__ import annotations

import datetime as dt

import pytest

from voicebot.dialog.promise import Pending, Said, callback_at, said_about_paying
from voicebot.domain.case import Promise
from voicebot.domain.understanding import Slots, Tense

from .callee import NOW, TODAY

FULL = 350000
FRIDAY = TODAY + dt.timedelta(days=3)


def said(text: str = "", *, part: bool = False, **slots: object) -> Said:
    return said_about_paying(Slots(**slots), text, TODAY, FULL, part)  # type: ignore[arg-type]


AMOUNTS = [
    ({"amount_fen": 200000}, 200000),
    ({"amount_fen": 350000}, None),
    ({"amount_fen": 349950}, None),  # 零头 is not counted
    ({"amount_fen": 900000}, None),
    ({"amount_min_fen": 300000, "amount_max_fen": 400000}, None),  # 三千多
    ({"amount_min_fen": 300000}, None),
    ({"amount_min_fen": 100000, "amount_max_fen": 200000}, 100000),
    ({"ratio": 0.5}, 175000),
    ({"installments": 3}, 116667),
    ({"per_installment_fen": 50000}, 50000),
    ({}, None),
]


@pytest.mark.parametrize(("slots", "amount"), AMOUNTS)
def test_amount_offered(slots: dict[str, object], amount: int | None) -> None:
    assert said(**slots).amount_fen == amount
    assert said(**slots).partial is (amount is not None)


def test_no_amount_means_everything() -> None:
    pending = Pending().merged(said("周五还", date=FRIDAY))
    assert pending.promise(FULL, True) == Promise(FRIDAY, FULL, True)
    assert Pending().promise(FULL, True) is None


def test_part_without_amount_needs_one() -> None:
    pending = Pending().merged(said("先还一部分", part=True, date=FRIDAY))
    assert pending.needs_amount and not pending.merged(said(amount_fen=100000)).needs_amount


def test_later_words_win() -> None:
    pending = Pending(FRIDAY, 100000, True)
    later = FRIDAY + dt.timedelta(days=7)
    assert pending.merged(said(date=later)) == Pending(later, 100000, True)
    assert pending.merged(said(amount_fen=200000)).amount_fen == 200000
    assert pending.merged(said("全部还清")).promise(FULL, True) == Promise(FRIDAY, FULL, True)
    assert not pending.changed_by(said(date=FRIDAY, amount_fen=100000))


def test_the_past_is_no_offer() -> None:
    assert said(date=TODAY - dt.timedelta(days=1)).date is None
    assert said(date=FRIDAY, amount_fen=100000, tense=Tense.PAST) == Said(past=True)


def test_a_range_is_due_at_its_end() -> None:
    assert said(date=TODAY, date_end=FRIDAY).date == FRIDAY


CALLBACKS = [
    (None, None, None),
    (FRIDAY, None, dt.datetime(2026, 11, 27, 10)),
    (None, dt.time(15), dt.datetime(2026, 11, 24, 15)),
    (None, dt.time(9), dt.datetime(2026, 11, 25, 9)),
    (FRIDAY, dt.time(23), dt.datetime(2026, 11, 28, 9)),
    (FRIDAY, dt.time(6), dt.datetime(2026, 11, 27, 9)),
    (FRIDAY, dt.time(21), dt.datetime(2026, 11, 27, 21)),
]


@pytest.mark.parametrize(("day", "time", "at"), CALLBACKS)
def test_callbacks_keep_out_of_the_night(day: dt.date | None, time: dt.time | None, at: dt.datetime | None) -> None:
    found = callback_at(Said(time=time), NOW, day)
    assert found == (at and at.replace(tzinfo=NOW.tzinfo))


def test_a_part_that_was_paid_is_no_part_that_is_offered() -> None:
    def meant(text: str) -> Said:
        return said_about_paying(Slots(date=FRIDAY, tense=Tense.FUTURE), text, TODAY, FULL, False)

    assert not meant("我前几天还过一部分了，剩下这些周五还").partial
    assert meant("先还一部分，周五").partial
