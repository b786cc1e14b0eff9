"""After a call: the risk moves, the next step is planned, once, and a person takes over where only a person may."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.voicebot.campaign.samples import NOON, new_case
from tests.voicebot.store.samples import allow
from voicebot.domain.attempt import AttemptState, Outcome
from voicebot.domain.campaign import Campaign, CampaignState
from voicebot.domain.clock import FixedClock
from voicebot.domain.outcome import Disposition
from voicebot.domain.risk import Scored
from voicebot.store import Store
from voicebot.store.policies import VersionConflict
from voicebot.strategy.escalation import Escalator
from voicebot.strategy.policies import Kind, PolicyShelf
from voicebot.strategy.policy_text import PolicyError
from voicebot.strategy.strategies import parse_strategy

DAY = dt.timedelta(days=1)
TIERS = ("low", "medium", "high")
AFTER = """
title: 通话之后
steps: [{days: [1], call: s1}]
after:
  - {outcome: [promise_to_pay], risk: down}
  - outcome: [refusal]
    risk: up
    then: {call: m2, by: human, in_days: 2, hours: ["10:00", "12:00"]}
  - outcome: [hardship]
    then: {call: survey, in_days: 3, hours: ["15:00", "18:00"]}
  - outcome: [no_answer, busy]
    times: 2
    risk: up
    then: {message: reminder, in_days: 1, hours: ["10:00", "18:00"]}
"""


async def shelf_with(store: Store) -> PolicyShelf:
    shelf = PolicyShelf(store, None)
    await shelf.save(Kind.STRATEGY, "after-calls", AFTER, "me", NOON)
    await store.cases.save([new_case(1)], NOON)
    await store.campaigns.save(Campaign("k", "k", "s1", CampaignState.DRAFT, NOON, strategy="after-calls"))
    await store.campaigns.start("k", NOON)
    await store.risks.write({"C0001": Scored(50, "medium")}, TIERS, "c", NOON)
    return shelf


async def called(store: Store, outcome: Outcome, at: dt.datetime) -> None:
    await store.attempts.add("C0001", "s1", at, campaign_id="k")
    (attempt,) = await store.attempts.lease("w", 1, at, allow)
    await store.attempts.place(attempt.id, "w", f"call-{at:%d%H}", at)
    await store.attempts.settle(attempt.id, "w", outcome, at)


async def tier(store: Store) -> str:
    risk = await store.risks.of_case("C0001")
    assert risk is not None
    return risk.tier


async def test_a_promise_lowers_the_risk_once_however_often_it_is_looked_at(store: Store) -> None:
    shelf = await shelf_with(store)
    await called(store, Outcome(Disposition.PROMISE_TO_PAY, talked_to=True), NOON)
    for _ in range(2):
        await Escalator(store, shelf, FixedClock(NOON)).once()
    assert await tier(store) == "low"
    (told,) = await store.escalations.of_case("C0001")
    assert (told.rule, told.risk, told.then) == ("promise_to_pay", -1, "风险下调")


async def test_a_refusal_raises_the_risk_and_asks_a_person_for_a_day_to_come(store: Store) -> None:
    shelf = await shelf_with(store)
    await called(store, Outcome(Disposition.REFUSAL, talked_to=True), NOON)
    await Escalator(store, shelf, FixedClock(NOON)).once()
    assert await tier(store) == "high"
    (callback,) = await store.promises.callbacks()
    assert callback.at == NOON + 2 * DAY and "m2" in callback.reason
    (told,) = await store.escalations.of_case("C0001")
    assert told.follow_up_at == callback.at


async def test_the_next_call_of_the_bot_has_its_own_script_and_hours(store: Store) -> None:
    shelf = await shelf_with(store)
    await called(store, Outcome(Disposition.HARDSHIP, talked_to=True), NOON)
    await Escalator(store, shelf, FixedClock(NOON)).once()
    (waiting,) = [one for one in await store.attempts.of_case("C0001") if one.state is AttemptState.WAITING]
    assert (waiting.script, waiting.not_before) == ("survey", (NOON + 3 * DAY).replace(hour=15))


async def test_a_call_that_waits_already_is_not_planned_twice_and_not_claimed(store: Store) -> None:
    shelf = await shelf_with(store)
    await called(store, Outcome(Disposition.HARDSHIP, talked_to=True), NOON)
    await store.attempts.add("C0001", "s1", NOON + DAY, campaign_id="k")
    await Escalator(store, shelf, FixedClock(NOON)).once()
    (told,) = await store.escalations.of_case("C0001")
    assert (told.then, told.follow_up_at) == ("", None)
    assert [one.script for one in await store.attempts.of_case("C0001")] == ["s1", "s1"]


async def test_two_missed_calls_in_a_row_count_one_does_not(store: Store) -> None:
    shelf = await shelf_with(store)
    escalator = Escalator(store, shelf, FixedClock(NOON), in_writing=True)
    await called(store, Outcome(Disposition.NO_ANSWER), NOON)
    await escalator.once()
    assert await tier(store) == "medium" and await store.outbox.of_case("C0001") == []
    await called(store, Outcome(Disposition.BUSY), NOON + dt.timedelta(hours=2))
    await escalator.once()
    assert await tier(store) == "high"
    (message,) = await store.outbox.of_case("C0001")
    assert (message.kind, message.not_before) == ("reminder", NOON + DAY)


async def test_a_shift_outlasts_the_next_scoring(store: Store) -> None:
    shelf = await shelf_with(store)
    await called(store, Outcome(Disposition.REFUSAL, talked_to=True), NOON)
    await Escalator(store, shelf, FixedClock(NOON)).once()
    await store.risks.write({"C0001": Scored(10, "low")}, TIERS, "c", NOON + DAY)
    assert await tier(store) == "medium"


@pytest.mark.parametrize(
    ("after", "named"),
    [
        ("{outcome: [do_not_call], then: {call: s1}}", "nothing but `by: human`"),
        ("{outcome: [dispute], then: {message: reminder}}", "nothing but `by: human`"),
        ("{outcome: [refusal]}", "say what becomes of the risk"),
        ("{outcome: [maybe], risk: up}", "maybe is not one of"),
        ("{outcome: [refusal], risk: sideways}", "one of up, same, down"),
        ("{outcome: [refusal], times: 0, risk: up}", "from 1 to 20"),
        ("{risk: up}", "name the outcomes"),
    ],
)
def test_what_may_not_follow_a_call_is_named(after: str, named: str) -> None:
    with pytest.raises(PolicyError, match=named) as raised:
        parse_strategy(f"title: x\nsteps: [{{days: [1], call: s1}}]\nafter: [{after}]\n", "mine.yaml")
    assert "mine.yaml, line 3, rule 1" in str(raised.value)


@pytest.mark.parametrize(
    ("step", "named"),
    [
        ("{days: [2], call: s1, tone: firm}", "too firm for day 2"),
        ("{days: [1], call: s1, channels: [sms]}", "goes with a message alone"),
        ("{days: [1], message: m, by: human}", "goes with a call alone"),
        ("{days: [1], message: m, channels: [fax]}", "fax is not one of"),
        ("{days: [1], call: s1, by: human, notice: m}", "call of the bot alone"),
    ],
)
def test_what_a_step_may_not_say_is_named(step: str, named: str) -> None:
    with pytest.raises(PolicyError, match=named):
        parse_strategy(f"title: x\nsteps: [{step}]\n", "mine.yaml")


async def test_versions_follow_each_other_and_nobodys_work_is_overwritten(store: Store) -> None:
    shelf = PolicyShelf(store, None)
    text = "title: 新\nsteps: [{days: [1], call: s1}]\n"
    assert await shelf.save(Kind.STRATEGY, "steady", text, "a", NOON, based_on=0) == 1
    assert await shelf.save(Kind.STRATEGY, "steady", text.replace("新", "更新"), "b", NOON, based_on=1) == 2
    with pytest.raises(VersionConflict, match="version 2"):
        await shelf.save(Kind.STRATEGY, "steady", text, "c", NOON, based_on=1)
    with pytest.raises(PolicyError, match=r"steady\.yaml, line 2"):
        await shelf.save(Kind.STRATEGY, "steady", "title: x\nsteps: 3\n", "d", NOON)
    with pytest.raises(PolicyError, match="small letters"):
        await shelf.save(Kind.STRATEGY, "../../etc", text, "e", NOON)
    policies = await shelf.current()
    assert policies.strategies["steady"].title == "更新"
    assert policies.versions["strategies", "steady"] == 2
    history = await store.policies.history("strategies", "steady")
    assert [(one.version, one.saved_by) for one in history] == [(2, "b"), (1, "a")]


async def test_a_card_that_drops_a_tier_of_a_segment_is_not_saved(store: Store) -> None:
    shelf = PolicyShelf(store, None)
    card = "title: x\ntiers: [{id: low, from: 0}]\nfacts: [{fact: a, words: b, points: [{points: 1}]}]\n"
    with pytest.raises(PolicyError, match="high is not one of low"):
        await shelf.save(Kind.SCORECARD, "standard", card, "me", NOON)
