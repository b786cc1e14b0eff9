"""Strategies: their days, their mistakes, and a month of one on a database."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.voicebot.campaign.samples import new_case
from voicebot.config import scripts_dir
from voicebot.domain.attempt import Attempt
from voicebot.domain.campaign import Campaign, CampaignState, Segment
from voicebot.domain.clock import SHANGHAI, FixedClock
from voicebot.domain.message import Message
from voicebot.domain.strategy import Means, Step, Strategy
from voicebot.messages.templates import shipped_templates
from voicebot.store import Store
from voicebot.store.cases import NewCase
from voicebot.strategy.cadence import CadencePlanner, Planned
from voicebot.strategy.strategies import FOLDER, StrategyError, load_strategies, parse_strategy

DAY = dt.timedelta(days=1)
FIRST = dt.datetime(2026, 3, 2, 8, 30, tzinfo=SHANGHAI)
"""The morning on which the bill of C0001 is not overdue yet."""

BY_OFFSET = parse_strategy(
    """
title: 短信与电话
steps:
  - days: [1, 7, 15, 21]
    message: reminder
    hours: ["10:00", "18:00"]
  - days: [24, 27, 30]
    call: m1
    hours: ["15:00", "18:00"]
""",
    "by-offset.yaml",
)


def test_messages_on_days_1_7_15_21_and_calls_on_24_27_30() -> None:
    done = {day: [(step.means, step.words) for step in BY_OFFSET.due(day)] for day in range(-10, 60)}
    assert {day for day, steps in done.items() if steps == [(Means.MESSAGE, "reminder")]} == {1, 7, 15, 21}
    assert {day for day, steps in done.items() if steps == [(Means.CALL, "m1")]} == {24, 27, 30}
    assert sum(map(len, done.values())) == 7


async def campaign_of(store: Store, cases: list[NewCase], strategy: str = "by-offset") -> None:
    await store.cases.save(cases, FIRST)
    made = Campaign(
        "k", "三月", "reminder", CampaignState.DRAFT, FIRST, Segment(min_overdue_days=1, max_overdue_days=27),
        strategy=strategy,
    )  # fmt: skip
    await store.campaigns.save(made)
    assert await store.campaigns.start("k", FIRST) == 0


def due_today(n: int) -> NewCase:
    new = new_case(n)
    return NewCase(replace(new.case, overdue_days=0, as_of=FIRST.date()), new.numbers)


async def month(store: Store, *, in_writing: bool = True) -> tuple[list[Message], list[Attempt]]:
    """Forty days of planning, several times a day; oldest first."""
    clock = FixedClock(FIRST)
    planner = CadencePlanner(store, {"by-offset": BY_OFFSET}, clock, in_writing=in_writing)
    for _ in range(40):
        for _ in range(3):
            await planner.once()
            clock.advance(dt.timedelta(minutes=5))
        await store.attempts.cancel("C0001", "as if rung", clock.now())
        clock.advance(DAY - dt.timedelta(minutes=15))
    messages = await store.outbox.of_case("C0001")
    return messages[::-1], (await store.attempts.of_case("C0001"))[::-1]


async def test_a_month_of_it_on_the_database_each_step_once_and_inside_the_segment(store: Store) -> None:
    await campaign_of(store, [due_today(1)])
    messages, attempts = await month(store)
    assert [message.not_before for message in messages] == [
        (FIRST + offset * DAY).replace(hour=10, minute=0) for offset in (1, 7, 15, 21)
    ]
    assert {message.kind for message in messages} == {"reminder"}
    # The thirtieth day lies outside the segment of the campaign.
    assert [(attempt.script, attempt.not_before) for attempt in attempts] == [
        ("m1", (FIRST + offset * DAY).replace(hour=15, minute=0)) for offset in (24, 27)
    ]
    assert await store.campaigns.finish_done(FIRST + 50 * DAY) == [], "tomorrow may bring new cases"


async def test_without_a_gateway_the_calls_come_alone(store: Store) -> None:
    await campaign_of(store, [due_today(1)])
    messages, attempts = await month(store, in_writing=False)
    assert (len(messages), len(attempts)) == (0, 2)


async def test_nothing_is_planned_for_who_is_held_out_closed_or_has_no_strategy(store: Store) -> None:
    await campaign_of(store, [due_today(n) for n in range(1, 41)])
    await store.cases.set_status("C0040", "closed", FIRST)
    half = replace(BY_OFFSET, hold_out=0.5)
    clock = FixedClock(FIRST + DAY)
    planned = await CadencePlanner(store, {"by-offset": half}, clock, in_writing=True).once()
    assert planned.messages + planned.held_out == 39
    assert 8 <= planned.held_out <= 31
    assert await CadencePlanner(store, {}, clock, in_writing=True).once() == Planned()


def test_the_hold_out_is_the_same_every_day_and_as_large_as_asked_for() -> None:
    strategy = Strategy("s", "", (Step((1,), Means.CALL, "s1"),), hold_out=0.2)
    held = [f"C{n}" for n in range(5_000) if strategy.holds_out(f"C{n}")]
    assert 900 < len(held) < 1_100
    assert held == [case for case in held if strategy.holds_out(case)]
    assert not any(replace(strategy, hold_out=0.0).holds_out(case) for case in held)


def test_the_shipped_ones_name_scripts_and_templates_that_are_there(tmp_path: Path) -> None:
    strategies = load_strategies(tmp_path)
    assert {"steady", "gentle"} <= set(strategies)
    scripts = {file.stem for file in scripts_dir().glob("*.yaml")}
    for step in (step for strategy in strategies.values() for step in strategy.steps):
        assert step.words in (scripts if step.means is Means.CALL else shipped_templates())


def test_the_installations_own_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "steady.yaml").write_text("title: 自己的\nsteps:\n  - {days: [2], call: s1}\n", "utf-8")
    assert load_strategies(tmp_path)["steady"].title == "自己的"
    (tmp_path / FOLDER / "wrong.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StrategyError, match=r"wrong\.yaml"):
        load_strategies(tmp_path)


@pytest.mark.parametrize(
    ("steps", "named"),
    [
        ("[]", "list of `steps:`"),
        ("[{days: [1]}]", "either call"),
        ("[{days: [1], call: s1, message: m}]", "either call"),
        ("[{days: [], call: s1}]", "days is a list"),
        ("[{days: [1, 1], call: s1}]", "stands twice"),
        ("[{days: [1], call: s1, hours: ['18:00', '15:00']}]", "end before"),
        ("[{days: [1], call: s1, hours: [900, 1000]}]", "in quotes"),
        ("[{days: [1], call: '../x'}]", "names a script"),
        ("[{days: [true], call: s1}]", "whole numbers"),
        ("[{days: [1], call: s1, hour: 3}]", "unknown key hour"),
    ],
)
def test_mistakes_are_named(steps: str, named: str) -> None:
    with pytest.raises(StrategyError, match=named) as raised:
        parse_strategy(f"title: x\nsteps: {steps}\n", "mine.yaml")
    assert "mine.yaml" in str(raised.value)


@given(st.text())
def test_any_text_is_a_strategy_or_an_error_that_names_the_file(source: str) -> None:
    try:
        parse_strategy(source, "mine.yaml")
    except StrategyError as error:
        assert "mine.yaml" in str(error)
