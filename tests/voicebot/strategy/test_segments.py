"""Segments as data: their mistakes, and who is in them, held against a filter written by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.voicebot.campaign.samples import NOON, new_case
from tests.voicebot.store.samples import allow
from voicebot.domain.attempt import Outcome
from voicebot.domain.campaign import Campaign, CampaignState, Segment, TraitFilter
from voicebot.domain.outcome import Disposition
from voicebot.domain.risk import Scored
from voicebot.store import Store
from voicebot.store.cases import NewCase
from voicebot.strategy.policies import load_policies
from voicebot.strategy.policy_text import PolicyError
from voicebot.strategy.segments import parse_ladder, parse_segment

POLICIES = load_policies(None)
LADDER, TIERS = POLICIES.ladder, POLICIES.scorecard.tiers
TODAY = NOON.date()


def overdue(n: int, days: int, yuan: float) -> NewCase:
    new = new_case(n)
    return NewCase(replace(new.case, overdue_days=days, amount_fen=round(yuan * 100)), new.numbers)


def segment(text: str) -> Segment:
    return parse_segment(f"title: x\n{text}", "mine.yaml", LADDER, TIERS).segment


async def test_thirty_to_sixty_days_and_five_to_ten_thousand_yuan_holds_exactly_these(store: Store) -> None:
    inside = [overdue(1, 30, 5_000), overdue(2, 60, 10_000), overdue(3, 45, 7_500.50)]
    outside = [
        overdue(4, 29, 7_500), overdue(5, 61, 7_500), overdue(6, 45, 4_999.99), overdue(7, 45, 10_000.01),
        overdue(8, 0, 7_500), overdue(9, 45, 700),
    ]  # fmt: skip
    await store.cases.save(inside + outside, NOON)
    named = POLICIES.segments["month-two"]
    assert await store.segments.ids(named.segment, TODAY) == ["C0001", "C0002", "C0003"]
    assert await store.segments.count(named.segment, TODAY) == (3, 2_250_050)
    assert named.hours == (dt.time(15), dt.time(18))


async def test_a_bill_grows_into_a_segment_and_out_of_it_by_the_calendar(store: Store) -> None:
    await store.cases.save([overdue(1, 29, 6_000)], NOON)
    month_two = POLICIES.segments["month-two"].segment
    held = [bool(await store.segments.ids(month_two, TODAY + dt.timedelta(days=n))) for n in (0, 1, 31, 32)]
    assert held == [False, True, True, False]


async def test_a_portrait_adds_up_and_stages_meet_without_gap(store: Store) -> None:
    days = (0, 1, 29, 30, 59, 60, 89, 90, 400)
    await store.cases.save([overdue(n, day, 900 * n + 100) for n, day in enumerate(days, 1)], NOON)
    portrait = await store.segments.portrait(Segment(), TODAY, LADDER)
    assert {part.id: part.cases for part in portrait.by_stage} == {"M0": 1, "M1": 2, "M2": 2, "M3": 2, "M4+": 2}
    for parts in (portrait.by_stage, portrait.by_amount, portrait.by_tier, portrait.by_creditor):
        assert sum(part.cases for part in parts) == portrait.cases == len(days)
        assert sum(part.amount_fen for part in parts) == portrait.amount_fen
    for day in days:
        assert LADDER.stage_of(day).id in {"M0", "M1", "M2", "M3", "M4+"}
    assert [LADDER.stage_of(day).id for day in days] == ["M0", "M1", "M1", "M2", "M2", "M3", "M3", "M4+", "M4+"]


async def test_stage_tier_tries_and_outcome_filter_together(store: Store) -> None:
    await store.cases.save([overdue(n, 10 + n, 2_000) for n in range(1, 5)], NOON)
    await store.risks.write({"C0001": Scored(80, "high"), "C0002": Scored(10, "low")}, TIERS, "c", NOON)
    await store.attempts.add("C0001", "s1", NOON)
    (leased,) = await store.attempts.lease("w", 1, NOON, allow)
    await store.attempts.place(leased.id, "w", "call", NOON)
    await store.attempts.settle(leased.id, "w", Outcome(Disposition.NO_ANSWER), NOON)

    async def held(text: str) -> list[str]:
        return await store.segments.ids(segment(text), TODAY)

    assert await held("stage: [M1]\ntier: [high]") == ["C0001"]
    assert await held("stage: [M2]") == []
    assert await held("tries: [1, null]") == ["C0001"]
    assert await held("last_outcome: [never]") == ["C0002", "C0003", "C0004"]
    assert await held("last_outcome: [no_answer, busy]") == ["C0001"]
    assert await held("cases: [C0003, C0009]") == ["C0003"]
    assert await held("creditor: [nobody]") == []


async def test_traits_are_taken_by_bounds_and_values_and_unknown_ones_not(store: Store) -> None:
    news = [overdue(n, 20, 2_000) for n in range(1, 4)]
    traits = ({"occupation": "司机", "past_kept": 4, "night": True}, {"occupation": "教师", "past_kept": "4"}, {})
    news = [replace(new, traits=given) for new, given in zip(news, traits, strict=True)]
    await store.cases.save(news, NOON)
    wanted = {
        "traits: {occupation: [司机, 医生]}": ["C0001"],
        "traits: {past_kept: [3, null]}": ["C0001"],
        "traits: {past_kept: [null, 3]}": [],
        "traits: {night: true}": ["C0001"],
        "traits: {night: false}": [],
    }
    for text, ids in wanted.items():
        assert await store.segments.ids(segment(text), TODAY) == ids, text


async def test_a_campaign_remembers_its_segment_to_the_last_filter(store: Store) -> None:
    whole = Segment(
        creditor_ids=("demo",), products=("消费贷",), overdue=((30, 59), (90, None)), amounts=((None, 99_999),),
        tiers=("high",), tries=(None, 3), last_outcomes=("", "busy"), case_ids=("C0001",),
        traits=(TraitFilter("past_kept", span=(1.5, None)), TraitFilter("loan.kind", values=("a", "b"))),
    )  # fmt: skip
    made = Campaign("k", "n", "s1", CampaignState.DRAFT, NOON, segment=whole, segment_id="mine")
    await store.campaigns.save(made)
    assert await store.campaigns.find("k") == made


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("stage: [M9]", "M9 is not one of M0"),
        ("overdue_days: [60, 30]", "lower bound is above"),
        ("overdue_days: [1.5, 3]", "whole numbers"),
        ("overdue_days: [null, null]", "is expected"),
        ("amount_yuan: [1, 2.005]", "two digits"),
        ("tier: [worst]", "worst is not one of"),
        ("last_outcome: [maybe]", "maybe is not one of"),
        ("hours: ['18:00', '15:00']", "end before"),
        ("colour: red", "unknown key colour"),
        ("traits: {x: {}}", "x: a list of names"),
    ],
)
def test_mistakes_in_segments_are_named_with_file_and_line(text: str, named: str) -> None:
    with pytest.raises(PolicyError, match=named) as raised:
        segment(text)
    assert "mine.yaml, line 2" in str(raised.value)


@pytest.mark.parametrize(
    ("stages", "named"),
    [
        ("[{id: A, title: a, to: 5}]", "must be open at its end"),
        ("[{id: A, title: a, to: 5}, {id: B, title: b, to: 5}, {id: C, title: c}]", "B must end after A"),
        ("[{id: A, title: a, to: 5}, {id: A, title: b}]", "same id"),
        ("[]", "a list of `stages:`"),
    ],
)
def test_mistakes_in_stages_are_named(stages: str, named: str) -> None:
    with pytest.raises(PolicyError, match=named):
        parse_ladder(f"stages: {stages}\namounts: [{{id: all, title: all}}]\n")


@given(st.text())
def test_any_text_is_a_segment_or_an_error_that_names_the_file(source: str) -> None:
    for text in (source, f"title: x\n{source}"):
        try:
            parse_segment(text, "mine.yaml", LADDER, TIERS)
        except PolicyError as error:
            assert "mine.yaml" in str(error)
