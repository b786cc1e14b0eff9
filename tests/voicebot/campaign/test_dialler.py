"""Dialler: everything leased is placed and settled, within capacity, within the law, and also when things break."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import pairwise

from voicebot.campaign.dialler import Dialler
from voicebot.campaign.permission import caps_of, judge_by
from voicebot.campaign.placement import NotDialled
from voicebot.domain.attempt import Attempt, AttemptState, Caps, Outcome, Purpose
from voicebot.domain.campaign import CampaignState
from voicebot.domain.case import Promise
from voicebot.domain.clock import FixedClock
from voicebot.domain.outcome import Disposition
from voicebot.domain.permission import DialRequest
from voicebot.domain.records import AlertKind, Number
from voicebot.store import Store
from voicebot.store.cases import NewCase

from .samples import NOON, new_case, running_campaign, running_campaign_over

HOUR = dt.timedelta(hours=1)


class Allowed:
    allowed, rule, reason, not_before, pack_sha256 = True, None, "allowed", None, ""


def allow(request: DialRequest, now: dt.datetime) -> Allowed:
    return Allowed()


class Phones:
    """The far end: counts who is called and how many at once, answers as told."""

    def __init__(self, answer: Callable[[Attempt], Outcome]) -> None:
        self.answer = answer
        self.calls: list[Attempt] = []
        self.at_once = self.most_at_once = 0

    async def place(self, attempt: Attempt) -> Outcome:
        self.calls.append(attempt)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.01)
        self.at_once -= 1
        return self.answer(attempt)


def no_answer(attempt: Attempt) -> Outcome:
    return Outcome(Disposition.NO_ANSWER)


async def run_until(dialler: Dialler, done: Callable[[], Awaitable[bool]]) -> None:
    stop = asyncio.Event()
    async with asyncio.timeout(60):
        task = asyncio.create_task(dialler.run(stop))
        while not await done() and not task.done():  # noqa: ASYNC110 - the database is what is waited for
            await asyncio.sleep(0.02)
        stop.set()
        await task


async def nothing_due(store: Store, now: dt.datetime) -> bool:
    due = await store.attempts.next_due()
    return due is None or due > now


async def test_every_case_is_rung_once_and_within_capacity(store: Store) -> None:
    await running_campaign(store, cases=23)
    phones, clock = Phones(no_answer), FixedClock(NOON)
    dialler = Dialler(store, "w1", phones.place, allow, capacity=4, clock=clock, poll_s=0.02)
    await run_until(dialler, lambda: nothing_due(store, NOON))
    assert sorted(attempt.case.id for attempt in phones.calls) == [f"C{n:04d}" for n in range(23)]
    assert 1 < phones.most_at_once <= 4
    assert all(attempt.call_id and attempt.state is AttemptState.PLACED for attempt in phones.calls)
    progress = await store.campaigns.progress("k1")
    assert progress.attempts == {AttemptState.SETTLED: 23, AttemptState.WAITING: 23}, "each is tried again later"


async def test_a_day_under_the_real_rulebook(store: Store) -> None:
    """Four days of nobody answering, hour by hour: no rule is broken, and the tries come to an end."""
    await running_campaign(store, cases=3)
    clock = FixedClock(NOON.replace(hour=6))
    rung: list[tuple[str, dt.datetime]] = []

    async def place(attempt: Attempt) -> Outcome:
        rung.append((attempt.number, clock.now()))
        return Outcome(Disposition.NO_ANSWER)

    dialler = Dialler(store, "w1", place, judge_by(), caps=caps_of(), clock=clock)
    for _ in range(4 * 24):
        clock.advance(HOUR)
        await dialler.once()
    assert {at.hour for _, at in rung} <= {9, 10, 11, 14, 15, 16, 17, 18, 19}
    for number in {number for number, _ in rung}:
        times = sorted(at for other, at in rung if other == number)
        assert all(b - a >= 3 * HOUR for a, b in pairwise(times))
        assert max(Counter(at.date() for at in times).values()) <= 3
        assert 3 <= len(times) <= 6


async def test_promises_are_planned_and_the_campaign_goes_on(store: Store) -> None:
    await running_campaign(store, cases=1)
    promise = Promise(dt.date(2026, 11, 27), 100_000, confirmed=True)
    phones = Phones(lambda attempt: Outcome(Disposition.PROMISE_TO_PAY, talked_to=True, promise=promise))
    dialler = Dialler(store, "w1", phones.place, allow, clock=FixedClock(NOON), poll_s=0.02)
    await run_until(dialler, lambda: nothing_due(store, NOON))
    waiting = [a for a in await store.attempts.of_case("C0000") if a.state is AttemptState.WAITING]
    assert [(a.purpose, a.script) for a in waiting] == [(Purpose.PROMISE_DAY, "promise-day")]
    (made,) = await store.promises.of_case("C0000")
    assert made.call_id == phones.calls[0].call_id
    assert await store.attempts.cancel("C0000", "paid", NOON) == len(waiting)
    await dialler.keep_house()
    campaign = await store.campaigns.find("k1")
    assert campaign is not None and campaign.state is CampaignState.FINISHED


async def test_a_call_that_breaks_is_settled_as_failed_and_the_others_go_on(store: Store) -> None:
    await running_campaign(store, cases=4)

    def answer(attempt: Attempt) -> Outcome:
        if attempt.case.id == "C0001":
            raise RuntimeError("line is gone")
        return Outcome(Disposition.REFUSAL, talked_to=True)

    dialler = Dialler(store, "w1", Phones(answer).place, allow, clock=FixedClock(NOON), poll_s=0.02)
    await run_until(dialler, lambda: nothing_due(store, NOON))
    progress = await store.campaigns.progress("k1")
    assert progress.dispositions == {"refusal": 3, "failed": 1}
    (failed,) = [a for a in await store.attempts.of_case("C0001") if a.disposition]
    assert "line is gone" in failed.why


async def test_stopping_waits_for_calls_under_way_and_starts_none(store: Store) -> None:
    await running_campaign(store, cases=10)
    answered = asyncio.Event()
    both = asyncio.Barrier(3)
    rung: list[int] = []

    async def place(attempt: Attempt) -> Outcome:
        rung.append(attempt.id)
        await both.wait()
        await answered.wait()
        return Outcome(Disposition.REFUSAL, talked_to=True)

    dialler = Dialler(store, "w1", place, allow, capacity=2, clock=FixedClock(NOON), poll_s=0.02)
    stop = asyncio.Event()
    task = asyncio.create_task(dialler.run(stop))
    await asyncio.wait_for(both.wait(), 60)
    stop.set()
    await asyncio.sleep(0.1)
    assert not task.done() and dialler.running == 2
    answered.set()
    await asyncio.wait_for(task, 60)
    assert len(rung) == 2
    progress = await store.campaigns.progress("k1")
    assert progress.attempts == {AttemptState.SETTLED: 2, AttemptState.WAITING: 8}


async def test_a_dialler_that_dies_leaves_orphans_that_another_settles(store: Store) -> None:
    await running_campaign(store, cases=2)
    placed = asyncio.Event()

    async def place(attempt: Attempt) -> Outcome:
        placed.set()
        await asyncio.Event().wait()
        raise AssertionError

    clock = FixedClock(NOON)
    dying = asyncio.create_task(Dialler(store, "w1", place, allow, clock=clock, poll_s=0.02).run(asyncio.Event()))
    await asyncio.wait_for(placed.wait(), 60)
    await asyncio.sleep(0.2)
    dying.cancel()
    with suppress(asyncio.CancelledError):
        await dying
    clock.advance(dt.timedelta(minutes=5))
    other = Dialler(store, "w2", Phones(no_answer).place, allow, clock=clock)
    orphans = await other.keep_house()
    assert len(orphans) == 2
    past = await store.attempts.of_case("C0000")
    assert [(a.state, a.disposition) for a in past] == [
        (AttemptState.WAITING, None),
        (AttemptState.SETTLED, Disposition.FAILED),
    ]


async def test_a_call_that_outlives_its_dialler_is_not_lost(store: Store) -> None:
    await running_campaign(store, cases=1)
    (attempt,) = await store.attempts.lease("gone", 1, NOON, allow)
    await store.attempts.place(attempt.id, "gone", "call-1", NOON)
    clock = FixedClock(NOON + dt.timedelta(minutes=5))
    promise = Promise(dt.date(2026, 11, 27), 100_000, confirmed=True)
    resumed: list[str | None] = []

    async def resume(adopted: Attempt) -> Outcome:
        resumed.append(adopted.call_id)
        return Outcome(Disposition.PROMISE_TO_PAY, talked_to=True, promise=promise)

    async def never(attempt: Attempt) -> Outcome:
        raise AssertionError("the number is not dialled again")

    async def settled() -> bool:
        found = await store.attempts.find(attempt.id)
        return found is not None and found.state is AttemptState.SETTLED

    dialler = Dialler(store, "w2", never, allow, clock=clock, adopt=resume, poll_s=0.02)
    await run_until(dialler, settled)
    assert resumed == ["call-1"]
    (made,) = await store.promises.of_case("C0000")
    assert (made.call_id, made.date) == ("call-1", promise.date)


async def test_a_dead_number_gives_way_to_the_next_and_the_tries_end(store: Store) -> None:
    first = new_case(0)
    both = NewCase(first.case, (*first.numbers, Number("sip:second@host", rank=1)))
    await store.cases.save([both], NOON)
    await running_campaign_over(store)
    clock = FixedClock(NOON)
    phones = Phones(lambda attempt: Outcome(Disposition.UNREACHABLE))
    dialler = Dialler(store, "w1", phones.place, allow, caps=Caps(9, 9, 99, 99), clock=clock)
    for _ in range(12):
        await dialler.once()
        clock.advance(dt.timedelta(days=2))
    rung = [attempt.number for attempt in phones.calls]
    assert rung == [first.numbers[0].number] * 3 + ["sip:second@host"]
    record = await store.cases.record("C0000")
    assert record is not None and not any(number.valid for number in record.numbers)


async def test_two_diallers_share_the_work(store: Store, database_url: str) -> None:
    await running_campaign(store, cases=30)
    phones, clock = Phones(no_answer), FixedClock(NOON)
    async with Store.from_url(database_url) as second:
        first_dialler = Dialler(store, "w1", phones.place, allow, clock=clock, poll_s=0.02)
        second_dialler = Dialler(second, "w2", phones.place, allow, clock=clock, poll_s=0.02)

        async def done() -> bool:
            return await nothing_due(store, NOON)

        await asyncio.gather(run_until(first_dialler, done), run_until(second_dialler, done))
    assert Counter(attempt.case.id for attempt in phones.calls) == {f"C{n:04d}": 1 for n in range(30)}
    assert {attempt.leased_by for attempt in phones.calls} == {"w1", "w2"}


async def test_a_pause_holds_at_once_and_going_on_needs_no_next_look(store: Store) -> None:
    """The dialler looks by itself once an hour here: what wakes it is the pause's end."""
    await running_campaign(store, cases=30, concurrency=2)
    phones = Phones(no_answer)
    dialler = Dialler(store, "w1", phones.place, allow, capacity=2, clock=FixedClock(NOON), poll_s=3600)
    stop = asyncio.Event()
    async with asyncio.timeout(60):
        running = asyncio.create_task(dialler.run(stop))
        while not phones.calls:  # noqa: ASYNC110 - the dialler is what is waited for
            await asyncio.sleep(0.01)
        assert await store.campaigns.pause("k1", NOON)
        while dialler.running:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        begun = len(phones.calls)
        assert begun < 30
        await asyncio.sleep(0.3)
        assert len(phones.calls) == begun, "a call was begun during the pause"
        assert await store.campaigns.resume("k1")
        while len(phones.calls) < 30:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        stop.set()
        await running


async def test_halting_stops_everything_and_going_on_starts_it_again(store: Store) -> None:
    await running_campaign(store, cases=4)
    phones = Phones(no_answer)
    await store.dialling.halt("demo", NOON)
    dialler = Dialler(store, "w1", phones.place, allow, clock=FixedClock(NOON), poll_s=3600)
    stop = asyncio.Event()
    async with asyncio.timeout(60):
        running = asyncio.create_task(dialler.run(stop))
        await asyncio.sleep(0.3)
        assert phones.calls == []
        await store.dialling.go_on()
        while len(phones.calls) < 4:  # noqa: ASYNC110 - the dialler is what is waited for
            await asyncio.sleep(0.01)
        stop.set()
        await running


async def test_an_order_that_no_line_takes_is_no_call(store: Store) -> None:
    """The attempt waits again, nothing is counted, and no outcome is made up."""
    await running_campaign(store, cases=1)
    clock = FixedClock(NOON)

    async def nobody_takes(attempt: Attempt) -> Outcome:
        assert await store.lost_calls.take_back(attempt, clock.now() + HOUR, clock.now())
        raise NotDialled("no line took it")

    dialler = Dialler(store, "w1", nobody_takes, allow, clock=clock)
    for _ in range(5):  # more often than the law lets a number be dialled
        assert await dialler.once() == 1
        clock.advance(HOUR)
    (attempt,) = await store.attempts.of_case("C0000")
    assert attempt.state is AttemptState.WAITING and attempt.disposition is None


async def test_a_call_that_may_have_rung_counts_as_a_conversation(store: Store) -> None:
    await running_campaign(store, cases=1)

    async def lost(attempt: Attempt) -> Outcome:
        raise RuntimeError("the line died over it")

    clock = FixedClock(NOON)
    dialler = Dialler(store, "w1", lost, allow, clock=clock)
    await dialler.once()
    clock.advance(4 * HOUR)
    assert await dialler.once() == 0, "it may have been today's conversation"


async def test_a_campaign_that_rests_after_failures_is_told_of_once(store: Store) -> None:
    await running_campaign(store, cases=9)
    clock = FixedClock(NOON)
    dialler = Dialler(store, "w1", Phones(lambda attempt: Outcome(Disposition.FAILED)).place, allow,
                      capacity=5, clock=clock)  # fmt: skip
    assert await dialler.once() == 5
    for _ in range(3):
        await dialler.keep_house()
    assert await dialler.once() == 0
    (alert,) = await store.alerts.open()
    assert alert.kind is AlertKind.BREAKER_OPEN and "十一月提醒" in alert.text
