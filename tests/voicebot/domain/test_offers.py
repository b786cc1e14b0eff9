"""What the bot may grant: by stage and creditor, never more than the bill bears."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from voicebot.domain.case import Case, Creditor, Debtor
from voicebot.domain.offers import GRANTED, Offers, bot_authorities_from, offers_for, offers_of
from voicebot.domain.plan import PlanError, authorities_from
from voicebot.domain.stage import Stage, stage_of

CASE = Case(
    "c", Debtor("d", "李振海"), Creditor("x", "示例消费金融有限公司", "示例客户服务中心", "4000001234"), "分期",
    350_000, 40, dt.date(2026, 11, 24), 300_000, 50_000,
)  # fmt: skip
ROW = {
    "role": "bot", "most_parts": 3, "extension_days": 5, "length_days": 90, "smallest_part_fen": 10_000,
    "waiver_percent": 20, "stages": ["M2"], "creditor": "x",
}  # fmt: skip


def at(days: int, **changes: object) -> Case:
    return dataclasses.replace(CASE, overdue_days=days, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("days", "stage"), [(-3, "M0"), (0, "M0"), (1, "S1"), (4, "S2"), (16, "S3"), (30, "M2"), (60, "M3"), (90, "M4")]
)
def test_stages_by_days(days: int, stage: str) -> None:
    assert stage_of(days) is Stage(stage)


def test_offers_grow_with_the_stage_and_end_where_people_take_over() -> None:
    assert [offers_for(at(days)).parts for days in (-1, 2, 20, 40, 70, 100)] == [0, 0, 3, 6, 12, 0]
    assert not offers_for(at(40)).waiver
    assert offers_for(None) == Offers()


def test_a_small_bill_is_not_cut_below_the_smallest_part() -> None:
    assert offers_for(at(40, amount_fen=25_000)).parts == 2
    assert not offers_for(at(40, amount_fen=15_000)).instalments


def test_an_installations_row_holds_for_its_stage_and_creditor_alone() -> None:
    table = bot_authorities_from([ROW])
    assert offers_for(at(40), table) == Offers(10_000, 3, 5, 90, 10_000)
    assert offers_for(at(70), table) == Offers()
    assert offers_for(at(40, creditor=dataclasses.replace(CASE.creditor, id="y")), table) == Offers()
    agent = {"role": "agent"} | {key: value for key, value in ROW.items() if key not in ("role", "stages", "creditor")}
    assert [row.role for row in authorities_from([agent, ROW])] == ["agent"]


@pytest.mark.parametrize("wrong", [{"stages": ["M9"]}, {"stages": "M2"}, {"creditor": 3}, {"most_parts": -1}])
def test_a_wrong_row_says_what_is_wrong(wrong: dict[str, object]) -> None:
    with pytest.raises(PlanError):
        bot_authorities_from([ROW | wrong])


def test_a_call_carries_its_offers_and_garbled_ones_grant_nothing() -> None:
    granted = Offers(1, 2, 3, 4, 5)
    assert offers_of(CASE, {GRANTED: granted.to_json()}) == granted
    assert offers_of(CASE, {GRANTED: "[]"}) == Offers() == offers_of(CASE, {GRANTED: '{"parts": "x"}'})
    assert offers_of(CASE, {}) == offers_for(CASE)
