"""A strategy day by day on a database: by whom, by what means, and who is left alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from sqlalchemy import text

from voicebot.campaign.dialler import Dialler
from voicebot.campaign.permission import judge_by
from voicebot.domain.attempt import Attempt, Outcome
from voicebot.domain.campaign import Campaign, CampaignState, Segment
from voicebot.domain.case import Promise
from voicebot.domain.clock import SHANGHAI, FixedClock
from voicebot.domain.outcome import Disposition
from voicebot.domain.records import PromiseState
from voicebot.domain.risk import Scored
from voicebot.domain.strategy import Strategy
from voicebot.store import Store
from voicebot.store.cases import NewCase
from voicebot.strategy.cadence import CadencePlanner, Planned
from voicebot.strategy.strategies import parse_strategy

from .samples import new_case

DAY = dt.timedelta(days=1)
DUE = dt.datetime(2026, 3, 2, 9, 0, tzinfo=SHANGHAI)
"""The morning of the day on which the bills are due; no holiday lies in the month after it."""


def due_today(n: int) -> NewCase:
    new = new_case(n)
    return replace(new, case=replace(new.case, overdue_days=0, as_of=DUE.date()))


async def follow(store: Store, strategy: Strategy, cases: int = 1) -> None:
    await store.cases.save([due_today(n) for n in range(1, cases + 1)], DUE)
    campaign = Campaign("k", "三月", "m1", CampaignState.DRAFT, DUE, Segment(), strategy=strategy.id)
    await store.campaigns.save(campaign)
    await store.campaigns.start("k", DUE)


def planner(store: Store, strategy: Strategy, clock: FixedClock, *gateways: str) -> CadencePlanner:
    channels = gateways or ("sms",)
    return CadencePlanner(store, {strategy.id: strategy}, clock, in_writing=True, gateways=channels)


async def test_sms_on_1_7_15_21_and_script_b_on_24_27_30_really_leave_on_those_days(store: Store) -> None:
    """The example of the trade, through planner, rulebook, dialler and database, day by day."""
    strategy = parse_strategy(
        "title: 样例\nsteps:\n"
        '  - {days: [1, 7, 15, 21], message: reminder, hours: ["10:00", "18:00"]}\n'
        "  - {days: [24, 27, 30], call: script-b}\n",
        "sample.yaml",
    )
    await follow(store, strategy)
    clock = FixedClock(DUE + dt.timedelta(hours=1, minutes=30))
    rung: list[tuple[int, str]] = []

    async def place(attempt: Attempt) -> Outcome:
        rung.append(((clock.now() - DUE).days, attempt.script))
        return Outcome(Disposition.REFUSAL, talked_to=True)

    dialler = Dialler(store, "w", place, judge_by(), capacity=5, clock=clock)
    for _ in range(34):
        for _ in range(2):  # as if the server was started anew in between
            await planner(store, strategy, clock).once()
        await dialler.once()
        clock.advance(DAY)
    messages = await store.outbox.of_case("C0001")
    assert sorted((message.not_before - DUE).days for message in messages) == [1, 7, 15, 21]
    assert {message.kind for message in messages} == {"reminder"}
    assert rung == [(24, "script-b"), (27, "script-b"), (30, "script-b")]


async def test_a_persons_step_stands_on_the_list_of_callbacks_once(store: Store) -> None:
    strategy = parse_strategy(
        'title: 人工\nsteps: [{days: [1], call: m2, by: human, hours: ["10:00", "12:00"]}]', "people.yaml"
    )
    await follow(store, strategy)
    clock = FixedClock(DUE + DAY)
    for _ in range(3):
        await planner(store, strategy, clock).once()
        clock.advance(dt.timedelta(hours=1))
    (callback,) = await store.promises.callbacks()
    assert callback.case_id == "C0001" and callback.at == (DUE + DAY).replace(hour=10)
    assert "m2" in callback.reason
    assert await store.attempts.of_case("C0001") == []


async def test_channels_in_order_then_the_call_where_none_leads_to_the_debtor(store: Store) -> None:
    strategy = parse_strategy(
        "title: 渠道\nsteps: [{days: [1], message: reminder, channels: [wechat, sms], otherwise: s1}]", "ways.yaml"
    )
    await follow(store, strategy, cases=3)
    await address(store, "D0001", "wechat", "openid-1")
    await store.cases.retire_number("D0003", "+8613800000003")
    clock = FixedClock(DUE + DAY)
    assert (await planner(store, strategy, clock, "wechat").once()).calls == 1, "C0002 has no WeChat; C0003 nothing"
    sent = await store.outbox.of_case("C0001")
    assert [message.kind for message in sent] == ["reminder"]
    assert [attempt.script for attempt in await store.attempts.of_case("C0002")] == ["s1"]
    assert await store.attempts.of_case("C0003") == []


async def test_a_notice_goes_before_the_call_and_only_with_it(store: Store) -> None:
    strategy = parse_strategy(
        'title: 预告\nsteps: [{days: [1], call: s1, notice: reminder, hours: ["15:00", "18:00"]}]', "notice.yaml"
    )
    await follow(store, strategy)
    for _ in range(2):
        await planner(store, strategy, FixedClock(DUE + DAY)).once()
    (message,) = await store.outbox.of_case("C0001")
    (attempt,) = await store.attempts.of_case("C0001")
    assert message.not_before < message.expires_at < attempt.not_before
    assert attempt.not_before == (DUE + DAY).replace(hour=15)


async def test_whoever_is_held_out_is_reached_by_no_means_and_by_no_other_campaign(store: Store) -> None:
    strategy = parse_strategy(
        "title: 对照\nhold_out: 0.5\nsteps: [{days: [1], call: s1}, {days: [1], message: reminder}]", "half.yaml"
    )
    await follow(store, strategy, cases=40)
    clock = FixedClock(DUE + DAY)
    planned = await planner(store, strategy, clock).once()
    held = await store.cohorts.of_campaign("k", held_out=True)
    reached = await store.cohorts.of_campaign("k", held_out=False)
    assert (len(held), len(reached)) == (planned.held_out, planned.calls)
    assert len(held) + len(reached) == 40 and 8 < len(held) < 32
    assert held == [f"C{n:04d}" for n in range(1, 41) if strategy.holds_out(f"C{n:04d}")]
    # Another campaign takes the others alone, however it goes about it, and nobody can pull them.
    plain = Campaign("other", "全部", "s1", CampaignState.DRAFT, DUE, Segment())
    await store.campaigns.save(plain)
    assert await store.campaigns.start("other", clock.now()) == len(reached)
    eager = replace(strategy, id="eager", hold_out=0.0)
    await store.campaigns.save(replace(plain, id="third", strategy="eager"))
    await store.campaigns.start("third", clock.now())
    await planner(store, eager, clock).once()
    for case_id in held:
        assert await store.attempts.of_case(case_id) == [] and await store.outbox.of_case(case_id) == []
        assert await store.attempts.add(case_id, "s1", clock.now()) is not None
    leased = await store.attempts.lease("w", 200, clock.now().replace(hour=10), judge_by())
    assert leased and not {attempt.case.id for attempt in leased} & set(held)
    free, total = await store.portfolio.pool(clock.now(), limit=100)
    assert not {case.id for case in free} & set(held) and total <= len(reached)
    # With the end of the campaign the comparison is over.
    await store.campaigns.stop("k", clock.now())
    assert (await store.portfolio.pool(clock.now()))[1] > total


async def test_who_has_promised_is_left_in_peace_until_the_day_is_over(store: Store) -> None:
    strategy = parse_strategy("title: 每天\nsteps: [{days: [1, 2, 3, 4], call: s1}]", "daily.yaml")
    await follow(store, strategy)
    promise = Promise((DUE + 2 * DAY).date(), 100_000, confirmed=True)
    promise_id = await store.promises.record("C0001", None, promise, DUE)
    clock = FixedClock(DUE + DAY)
    for _ in range(2):
        assert (await planner(store, strategy, clock).once()).calls == 0
        clock.advance(DAY)
    await store.promises.mark(promise_id, PromiseState.BROKEN)
    assert (await planner(store, strategy, clock).once()).calls == 1


async def test_the_hardest_are_rung_first_where_the_strategy_says_so(store: Store) -> None:
    strategy = parse_strategy("title: 先难\norder: hardest\nsteps: [{days: [1], call: s1}]", "hard.yaml")
    await follow(store, strategy, cases=3)
    await store.risks.write({"C0002": Scored(90, "high"), "C0003": Scored(10, "low")}, ("low", "high"), "c", DUE)
    clock = FixedClock(DUE + DAY)
    await planner(store, strategy, clock).once()
    leased = await store.attempts.lease("w", 3, clock.now().replace(hour=10), judge_by())
    assert [attempt.case.id for attempt in leased] == ["C0002", "C0001", "C0003"]


async def test_a_strategy_changed_during_the_day_counts_from_the_next_round(store: Store) -> None:
    first = parse_strategy("title: a\nsteps: [{days: [1], call: s1}]", "now.yaml")
    await follow(store, first)
    current = {"now": first}

    async def strategies() -> dict[str, Strategy]:
        return current

    plan = CadencePlanner(store, strategies, FixedClock(DUE + DAY), in_writing=True)
    assert await plan.once() == Planned(calls=1)
    assert await plan.once() == Planned()
    current["now"] = parse_strategy(
        "title: a\nsteps: [{days: [1], call: s1}, {days: [1], message: reminder}]", "now.yaml"
    )
    assert await plan.once() == Planned(messages=1)


async def address(store: Store, debtor_id: str, channel: str, where: str) -> None:
    async with store._database.begin() as connection:
        await connection.execute(
            text("INSERT INTO addresses (debtor_id, channel, address) VALUES (:debtor, :channel, :address)"),
            {"debtor": debtor_id, "channel": channel, "address": where},
        )
