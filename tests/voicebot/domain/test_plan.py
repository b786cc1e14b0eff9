"""Plans add up to the fen, fall on days that exist, and stay within what a role may agree to."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.domain.plan import (
    AUTHORITIES,
    Excess,
    Limit,
    PlanError,
    Step,
    authorities_from,
    extension,
    instalments,
    rule,
)

TODAY = dt.date(2026, 11, 21)


def test_what_cannot_be_divided_is_paid_last() -> None:
    plan = instalments(100_000, 3, TODAY)
    assert [part.amount_fen for part in plan.parts] == [33_333, 33_333, 33_334]
    assert [part.date for part in plan.parts] == [TODAY, dt.date(2026, 12, 21), dt.date(2027, 1, 21)]


def test_the_first_part_may_be_larger() -> None:
    plan = instalments(350_050, 4, TODAY, first_fen=100_000)
    assert [part.amount_fen for part in plan.parts] == [100_000, 83_350, 83_350, 83_350]


def test_months_without_that_day_end_earlier_and_do_not_shift_the_others() -> None:
    days = [part.date for part in instalments(40_000, 4, dt.date(2026, 12, 31)).parts]
    assert days == [dt.date(2026, 12, 31), dt.date(2027, 1, 31), dt.date(2027, 2, 28), dt.date(2027, 3, 31)]


def test_weeks_and_fortnights() -> None:
    assert instalments(200, 2, TODAY, Step.WEEK).parts[1].date == dt.date(2026, 11, 28)
    assert instalments(200, 2, TODAY, Step.FORTNIGHT).parts[1].date == dt.date(2026, 12, 5)


@pytest.mark.parametrize(
    ("due", "count", "first_fen", "waived"),
    [(0, 1, None, 0), (100, 0, None, 0), (100, 61, None, 0), (100, 2, 100, 0), (100, 2, 0, 0), (3, 4, None, 0),
     (100, 2, 99, 50), (100, 1, None, 100), (100, 1, None, -1)],
)  # fmt: skip
def test_terms_that_make_no_plan_are_refused(due: int, count: int, first_fen: int | None, waived: int) -> None:
    with pytest.raises(PlanError):
        instalments(due, count, TODAY, first_fen=first_fen, waived_fen=waived)


def test_a_day_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(PlanError, match="too far"):
        instalments(100, 2, dt.date.max)


@given(
    st.integers(1, 10**9),
    st.integers(1, 60),
    st.dates(dt.date(2020, 1, 1), dt.date(2200, 1, 1)),
    st.sampled_from(Step),
    st.none() | st.integers(1, 10**9),
    st.integers(0, 10**6),
)
def test_every_plan_adds_up(
    due: int, count: int, first: dt.date, step: Step, first_fen: int | None, waived: int
) -> None:
    try:
        plan = instalments(due, count, first, step, first_fen=first_fen, waived_fen=waived)
    except PlanError:
        return
    assert plan.total_fen + plan.waived_fen == due
    assert all(part.amount_fen > 0 for part in plan.parts) and len(plan.parts) == count
    days = [part.date for part in plan.parts]
    assert days == sorted(set(days)) and days[0] == first
    equal = [part.amount_fen for part in plan.parts[(first_fen is not None and count > 1) :]]
    assert max(equal) - min(equal) < count


def test_an_agent_agrees_within_bounds_and_nobody_beyond_them() -> None:
    assert rule(instalments(300_000, 6, TODAY), "agent", TODAY).allowed
    ruling = rule(instalments(300_000, 7, TODAY), "agent", TODAY)
    assert ruling.excesses[0] == Excess(Limit.COUNT, 7, 6) and ruling.approver == "supervisor"
    assert {excess.limit for excess in ruling.excesses} == {Limit.COUNT, Limit.LENGTH}
    assert rule(instalments(300_000, 13, TODAY), "supervisor", TODAY).approver == "admin"
    assert rule(instalments(600_000, 25, TODAY), "admin", TODAY).approver is None


def test_an_extension_is_bounded_by_days() -> None:
    assert rule(extension(50_000, TODAY + dt.timedelta(15)), "agent", TODAY).allowed
    late = rule(extension(50_000, TODAY + dt.timedelta(16)), "agent", TODAY)
    assert late.excesses == (Excess(Limit.EXTENSION, 16, 15),) and late.approver == "supervisor"


def test_small_parts_need_somebody_else_yet_a_small_bill_may_be_paid_whole() -> None:
    assert rule(instalments(15_000, 2, TODAY), "agent", TODAY).excesses == (Excess(Limit.PART, 7_500, 10_000),)
    assert rule(extension(5_000, TODAY), "agent", TODAY).allowed


def test_a_waiver_is_a_share_of_known_fees() -> None:
    half = extension(100_000, TODAY, waived_fen=1_000)
    assert rule(half, "supervisor", TODAY, fees_fen=2_000).allowed
    assert rule(half, "agent", TODAY, fees_fen=2_000).approver == "supervisor"
    assert rule(half, "supervisor", TODAY, fees_fen=1_999).excesses == (Excess(Limit.WAIVER, 51, 50),)
    assert rule(half, "admin", TODAY).approver is None


def test_days_that_are_over_and_strangers() -> None:
    with pytest.raises(PlanError, match="over"):
        rule(extension(100, TODAY - dt.timedelta(1)), "admin", TODAY)
    assert not rule(extension(100, TODAY), "reviewer", TODAY).allowed


def test_an_installation_brings_its_own_table() -> None:
    names = ("most_parts", "extension_days", "length_days", "smallest_part_fen", "waiver_percent")
    table = [{"role": one.role, **{name: getattr(one, name) for name in names}} for one in AUTHORITIES]
    assert authorities_from(table) == AUTHORITIES
    for wrong in (None, [], [{}], [{"role": "agent"}], [{**table[0], "most_parts": -1}], [{**table[0], "role": 3}]):
        with pytest.raises(PlanError):
            authorities_from(wrong)
