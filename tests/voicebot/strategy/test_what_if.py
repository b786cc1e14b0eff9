"""What if: everybody is counted once, no call breaks a rule, lines bound the pace, and refusals name theirs."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.voicebot.campaign.samples import NOON, new_case
from tests.voicebot.store.samples import allow
from voicebot.campaign.permission import judge_by
from voicebot.domain.attempt import ContactStop, Outcome
from voicebot.domain.campaign import Campaign, CampaignState, Segment
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.outcome import Disposition
from voicebot.domain.permission import DialRequest, DialVerdict, PastAttempt, Reached, Stop
from voicebot.store import Store
from voicebot.store.forecast import Prospect, Rates
from voicebot.strategy.policies import load_policies
from voicebot.strategy.strategies import parse_strategy
from voicebot.strategy.what_if import Setup, WhatIf, what_if

RATES = Rates({}, rejected=0.1, busy=0.1, talk_s=60.0, ring_s=20.0)
JUDGE = judge_by()
EIGHT = NOON.replace(hour=8, minute=0)


def prospect(n: int, days: int = 12, **asked: object) -> Prospect:
    request = DialRequest(
        now=NOON, jurisdictions=("CN",), target_kind="debtor", number=f"+86138000{n:05d}", debtor_id=f"D{n}",
        case_id=f"C{n}",
    )  # fmt: skip
    return Prospect(f"C{n}", days, replace(request, **asked))  # type: ignore[arg-type]


def balanced(seen: WhatIf) -> bool:
    parts = seen.due + seen.not_due + seen.held_out + seen.unreachable + seen.pulled
    return seen.cases == parts and seen.calls == sum(seen.by_hour.values())


class Witness:
    """The rulebook, and every call it let through."""

    def __init__(self) -> None:
        self.allowed: list[tuple[dt.datetime, DialRequest]] = []

    def __call__(self, request: DialRequest, now: dt.datetime) -> DialVerdict:
        verdict = JUDGE(request, now)
        if verdict.allowed:
            self.allowed.append((now, request))
        return verdict


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(1, 8), st.integers(0, 23 * 60))
def test_everybody_is_counted_once_and_lines_are_never_overrun(count: int, channels: int, minutes: int) -> None:
    witness, now = Witness(), NOON.replace(hour=0, minute=0) + dt.timedelta(minutes=minutes)
    seen = what_if([prospect(n) for n in range(count)], Setup(now, channels), witness, RATES)
    assert balanced(seen) and seen.due == count == seen.cases_rung + seen.refused + seen.left_over
    assert seen.most_at_once <= channels and seen.calls == len(witness.allowed)
    for at, request in witness.allowed:
        assert at >= now and dt.time(8) <= at.astimezone(SHANGHAI).time() < dt.time(22)
        assert all(past.at < at for past in request.history)
    assert seen == what_if([prospect(n) for n in range(count)], Setup(now, channels), JUDGE, RATES), "the same again"


def test_refusals_are_counted_by_rule_with_the_first_time_they_end() -> None:
    talked = PastAttempt(NOON - dt.timedelta(hours=1), "+8613800000001", Reached.CONVERSATION)
    stopped = Stop("do_not_call")
    prospects = [
        prospect(1, history=(talked,)),
        prospect(2, stops=(stopped,)),
        prospect(3, jurisdictions=("XX",)),
        prospect(4),
    ]
    seen = what_if(prospects, Setup(NOON, 5), JUDGE, RATES)
    by_rule = {one.rule: one for one in seen.refusals}
    assert {rule: one.cases for rule, one in by_rule.items()} == {"CN-F1": 1, "CN-D2": 1, "CN-V1": 1}
    tomorrow = by_rule["CN-F1"].first_allowed
    assert tomorrow is not None and tomorrow.date() > NOON.date()
    assert by_rule["CN-D2"].first_allowed is None
    assert all(one.reason for one in seen.refusals) and seen.cases_rung == 1 and balanced(seen)


def test_a_day_on_which_nobody_may_be_rung_says_so() -> None:
    sunday_of_spring_festival = dt.datetime(2026, 2, 17, 10, 0, tzinfo=SHANGHAI)
    seen = what_if([prospect(1)], Setup(sunday_of_spring_festival, 5), JUDGE, RATES)
    assert (seen.calls, seen.refused, seen.last_end) == (0, 1, None)
    assert [one.rule for one in seen.refusals] == ["CN-T3"]


def test_the_campaigns_own_hours_bound_the_day() -> None:
    seen = what_if(
        [prospect(n) for n in range(50)], Setup(EIGHT, 1, hours=(dt.time(15), dt.time(15, 10))), JUDGE, RATES
    )
    assert set(seen.by_hour) == {15} and seen.first_call == NOON.replace(hour=15)
    assert [one.rule for one in seen.refusals] == ["campaign"]
    assert 0 < seen.cases_rung < 50 == seen.cases_rung + seen.refused + seen.left_over


def test_a_strategy_takes_its_days_leaves_out_who_is_held_out_and_counts_other_means() -> None:
    strategy = parse_strategy(
        "title: x\nhold_out: 0.3\nsteps:\n"
        '  - {days: [12], call: s1, hours: ["15:00", "18:00"]}\n'
        "  - {days: [12], message: reminder}\n  - {days: [13], call: m2, by: human}\n",
        "s.yaml",
    )
    prospects = [prospect(n, days=12 + n % 3) for n in range(90)]
    seen = what_if(prospects, Setup(EIGHT, 20, strategy), JUDGE, RATES)
    held = sum(strategy.holds_out(one.case_id) for one in prospects if one.overdue_days in (12, 13))
    assert (seen.held_out, seen.not_due) == (held, 30) and balanced(seen)
    assert 0 < held < 40 and seen.persons > 10 and seen.messages > 10
    assert min(seen.by_hour) == 15 and seen.cases_rung <= seen.messages


def test_who_has_a_person_no_number_or_is_held_out_elsewhere_is_not_rung() -> None:
    lost = Prospect("C9", 12, None)
    seen = what_if(
        [prospect(1), replace(prospect(2), pulled=True), replace(prospect(3), held_out=True), lost],
        Setup(NOON, 5), JUDGE, RATES,
    )  # fmt: skip
    assert (seen.cases, seen.due, seen.pulled, seen.held_out, seen.unreachable) == (4, 1, 1, 1, 1)


def test_two_bills_of_one_debtor_are_one_debtor_to_the_rules() -> None:
    twice = [prospect(1), replace(prospect(1), case_id="C1b")]
    twice[1] = replace(twice[1], request=replace(twice[1].request or DialRequest, case_id="C1b"))  # type: ignore[type-var]
    witness = Witness()
    seen = what_if(twice, Setup(NOON, 5), witness, replace(RATES, by_hour=dict.fromkeys(range(24), (10000, 10000))))
    assert seen.conversations == 1 and [one.rule for one in seen.refusals] == ["CN-F1"]


def test_more_lines_get_further_within_the_same_hour() -> None:
    setups = [Setup(NOON, channels, calls_per_second=50) for channels in (1, 10)]
    one, ten = (what_if([prospect(n) for n in range(120)], setup, JUDGE, RATES) for setup in setups)
    assert ten.by_hour[10] > one.by_hour[10] and ten.most_at_once == 10


async def test_the_database_tells_who_is_there_what_is_known_and_how_calls_went(store: Store) -> None:
    await store.cases.save([new_case(n) for n in range(1, 6)], NOON)
    await store.contacts.stop(ContactStop("do_not_call", NOON, debtor_id="D0002"))
    await store.cases.set_status("C0005", "closed", NOON)
    await store.cases.retire_number("D0004", "+8613800000004")
    await store.campaigns.save(Campaign("k", "k", "s1", CampaignState.DRAFT, NOON))
    prospects = [one async for batch in store.forecasts.prospects(Segment(), "s1", NOON) for one in batch]
    assert [one.case_id for one in prospects] == ["C0001", "C0002", "C0003", "C0004"]
    assert [one.request is None for one in prospects] == [False, False, False, True]
    assert prospects[0].overdue_days == 12
    rates = await store.forecasts.rates(NOON - dt.timedelta(days=30))
    assert rates.by_hour == {}
    seen = what_if(prospects, Setup(NOON, 5), JUDGE, rates)
    assert {one.rule: one.cases for one in seen.refusals} == {"CN-D2": 1}
    await store.attempts.add("C0001", "s1", NOON)
    (leased,) = await store.attempts.lease("w", 1, NOON, allow)
    await store.attempts.place(leased.id, "w", "c", NOON)
    await store.attempts.settle(leased.id, "w", Outcome(Disposition.REFUSAL, talked_to=True), NOON)
    assert (await store.forecasts.rates(NOON - dt.timedelta(days=30))).by_hour == {10: (1, 1)}
    after = [one async for batch in store.forecasts.prospects(Segment(), "s1", NOON) for one in batch]
    assert {one.rule for one in what_if(after, Setup(NOON, 5), JUDGE, rates).refusals} == {"CN-D2", "CN-F1"}


def test_the_shipped_ladder_is_read() -> None:
    assert load_policies(None).strategies["ladder"].days[0] == -3
