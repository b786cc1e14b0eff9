"""Promises on virtual time: brought to mind on their day, given up after days of grace; then a bot, then a person."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.voicebot.campaign.samples import NOON, new_case, running_campaign
from voicebot.campaign.care import load_follow_up
from voicebot.campaign.keeper import PromiseKeeper
from voicebot.domain.attempt import Attempt, AttemptState, Purpose
from voicebot.domain.case import Promise
from voicebot.domain.clock import SHANGHAI, FixedClock
from voicebot.domain.event import EventKind
from voicebot.domain.message import MessageKind
from voicebot.domain.payment import Payment
from voicebot.domain.records import AgentRecord, PromiseState, Role
from voicebot.domain.ticket import TicketKind
from voicebot.store import Store

DAY = dt.timedelta(days=1)
CASE = new_case(0).case.id
FRIDAY = dt.date(2026, 11, 27)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


def at(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute), SHANGHAI)


async def go(keeper: PromiseKeeper, clock: FixedClock, until: dt.datetime, step: dt.timedelta) -> list[PromiseState]:
    """Let time pass with the keeper looking; what promises it settled."""
    settled = []
    while clock.now() < until:
        clock.advance(min(step, until - clock.now()))
        settled += [given.state for given in await keeper.once()]
    return settled


async def promise(store: Store, clock: FixedClock, day: dt.date, fen: int = 50_000) -> int:
    return await store.promises.record(CASE, None, Promise(day, fen, confirmed=True), clock.now())


async def waiting(store: Store) -> list[Attempt]:
    return [attempt for attempt in await store.attempts.of_case(CASE) if attempt.state is AttemptState.WAITING]


async def test_a_promise_is_brought_to_mind_on_its_day_and_rung_about_after_the_days_of_grace(
    store: Store, clock: FixedClock
) -> None:
    await running_campaign(store, 1)
    await store.attempts.cancel(CASE, "promised", clock.now())
    await promise(store, clock, FRIDAY)
    keeper = PromiseKeeper(store, load_follow_up(), clock, in_writing=True)
    assert await go(keeper, clock, at(FRIDAY, 8, 59), dt.timedelta(hours=5)) == []
    assert await waiting(store) == []
    assert await go(keeper, clock, at(FRIDAY, 9, 30), dt.timedelta(minutes=10)) == []
    (call,) = await waiting(store)
    assert (call.purpose, call.script, call.not_before) == (Purpose.PROMISE_DAY, "promise-day", at(FRIDAY, 15))
    (message,) = await store.outbox.of_case(CASE)
    assert (message.kind, message.to) == (MessageKind.PROMISE_DUE, "+8613800000000")
    assert await go(keeper, clock, at(FRIDAY + DAY, 23, 59), dt.timedelta(hours=1)) == [], "a day of grace"
    assert await go(keeper, clock, at(FRIDAY + 2 * DAY, 0, 10), dt.timedelta(minutes=5)) == [PromiseState.BROKEN]
    missed = [attempt for attempt in await waiting(store) if attempt.purpose is Purpose.PROMISE_MISSED]
    assert [(call.script, call.not_before, call.campaign_id) for call in missed] == [
        ("broken-promise", at(FRIDAY + 2 * DAY, 10), "k1")
    ]
    assert [event.kind for event in await store.events.of_case(CASE)] == [
        EventKind.PROMISE_BROKEN, EventKind.PROMISE_MADE,
    ]  # fmt: skip


async def test_the_second_broken_promise_goes_to_a_person_and_the_bot_reminds_no_more(
    store: Store, clock: FixedClock
) -> None:
    await running_campaign(store, 1)
    await store.users.create("amy", Role.AGENT, NOON)
    await store.agents.save(AgentRecord("a1", "小艾", "sip:a1@127.0.0.1"))
    await store.users.change("amy", agent_id="a1")
    keeper = PromiseKeeper(store, load_follow_up(), clock)
    await promise(store, clock, FRIDAY)
    assert await go(keeper, clock, at(FRIDAY + 3 * DAY, 12), DAY) == [PromiseState.BROKEN]
    await promise(store, clock, FRIDAY + 5 * DAY)
    assert await go(keeper, clock, at(FRIDAY + 8 * DAY, 12), DAY) == [PromiseState.BROKEN]
    (ticket,) = await store.tickets.list()
    assert (ticket.kind, ticket.owner, ticket.case_id) == (TicketKind.BROKEN_PROMISE, "amy", CASE)
    assert await store.portfolio.owner(CASE) == "a1"
    assert len([call for call in await waiting(store) if call.purpose is Purpose.PROMISE_MISSED]) == 1, "of the first"


async def test_a_kept_promise_in_between_begins_the_count_anew(store: Store, clock: FixedClock) -> None:
    await running_campaign(store, 1)
    keeper = PromiseKeeper(store, load_follow_up(), clock)
    for number, keeps in enumerate((False, True, False)):
        day = clock.now().date() + DAY
        await promise(store, clock, day, 1_000)
        if keeps:
            await store.payments.settle(Payment(CASE, 1_000, day, f"p{number}"), clock.now())
        await go(keeper, clock, at(day + 3 * DAY, 12), DAY)
    states = [promise.state for promise in await store.promises.of_case(CASE)]
    assert states == [PromiseState.BROKEN, PromiseState.KEPT, PromiseState.BROKEN]
    assert await store.tickets.list() == []


@pytest.mark.parametrize(("fen", "state"), [(20_000, PromiseState.PARTLY_KEPT), (1_000, PromiseState.BROKEN)])
async def test_a_part_of_it_is_a_part_of_it(store: Store, clock: FixedClock, fen: int, state: PromiseState) -> None:
    await running_campaign(store, 1)
    await promise(store, clock, FRIDAY)
    await store.payments.settle(Payment(CASE, fen, FRIDAY, "p"), clock.now())
    keeper = PromiseKeeper(store, load_follow_up(), clock)
    assert await go(keeper, clock, at(FRIDAY + 3 * DAY, 12), DAY) == [state]


async def test_who_paid_is_closed_and_left_alone(store: Store, clock: FixedClock) -> None:
    await running_campaign(store, 1)
    await promise(store, clock, FRIDAY)
    await store.cases.set_status(CASE, "closed", clock.now())
    keeper = PromiseKeeper(store, load_follow_up(), clock, in_writing=True)
    before = await waiting(store)
    await go(keeper, clock, at(FRIDAY + 5 * DAY, 12), dt.timedelta(hours=6))
    assert await waiting(store) == before
    assert await store.outbox.of_case(CASE) == []
