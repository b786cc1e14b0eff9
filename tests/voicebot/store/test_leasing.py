"""Leases: nobody gets what somebody else has, nothing forbidden is dialled, nothing is lost."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter

import pytest

from voicebot.domain.attempt import AttemptState, Caps, Consent, ContactStop, NextAttempt, Outcome, Purpose
from voicebot.domain.case import Promise
from voicebot.domain.outcome import Disposition
from voicebot.domain.permission import Agreement, DialRequest, Reached
from voicebot.store import Store
from voicebot.store.attempts import LeaseLost

from .samples import MINUTE, NOON, Verdict, allow, campaign, new_case, plan

NO_ANSWER = Outcome(Disposition.NO_ANSWER)
TALKED = Outcome(Disposition.PROMISE_TO_PAY, talked_to=True)
LAX = Caps(100, 100, 100, 100)


async def test_many_workers_never_get_the_same_attempt(store: Store, database_url: str) -> None:
    ids = await plan(store, *(new_case(n) for n in range(60)))
    got: list[int] = []

    async def work(name: str) -> None:
        async with Store.from_url(database_url, pool_size=1) as mine:
            misses = 0
            while misses < 5:
                leased = await mine.attempts.lease(name, 4, NOON, allow)
                got.extend(attempt.id for attempt in leased)
                misses = 0 if leased else misses + 1

    await asyncio.gather(*(work(f"w{n}") for n in range(5)))
    assert sorted(got) == sorted(ids)


@pytest.mark.parametrize("shared", ["debtor", "number"])
async def test_two_workers_never_decide_about_the_same_person(store: Store, database_url: str, shared: str) -> None:
    """The judge forbids a second call, and must not be shown a history that another lease is about to change."""
    same = [new_case(n, debtor=7) if shared == "debtor" else new_case(n, number="+8613900000000") for n in range(40)]
    await plan(store, *same)

    def once(request: DialRequest, now: dt.datetime) -> Verdict:
        return Verdict(not request.history, "CN-F1", "reached today", now + MINUTE)

    async def lease(name: str) -> int:
        async with Store.from_url(database_url, pool_size=1) as mine:
            return len(await mine.attempts.lease(name, 1, NOON, once, caps=LAX))

    leased = await asyncio.gather(*(lease(f"w{n}") for n in range(8)))
    assert sum(leased) == 1


async def test_the_ledger_counts_a_shared_number_for_both_debtors(store: Store) -> None:
    shared = "+8613900000000"
    await plan(store, *(new_case(n, number=shared) for n in range(6)))
    leased = await store.attempts.lease("w", 6, NOON, allow, caps=Caps(attempts_per_number_day=2))
    assert len(leased) == 2
    rules = Counter([(await store.attempts.of_case(f"C{n:04d}"))[0].rule for n in range(6)])
    assert rules == {None: 2, "CN-F2": 4}


async def test_a_refused_attempt_waits_until_the_rulebook_allows_it(store: Store) -> None:
    (attempt_id,) = await plan(store, new_case(1))
    opens = NOON + dt.timedelta(hours=4)

    def after_lunch(request: DialRequest, now: dt.datetime) -> Verdict:
        return Verdict() if now >= opens else Verdict(False, "CN-T3", "noon", opens)

    assert await store.attempts.lease("w", 5, NOON, after_lunch) == []
    waiting = await store.attempts.find(attempt_id)
    assert waiting is not None
    assert (waiting.state, waiting.not_before, waiting.rule) == (AttemptState.WAITING, opens, "CN-T3")
    assert await store.attempts.lease("w", 5, opens - MINUTE, allow) == []
    assert [a.id for a in await store.attempts.lease("w", 5, opens, after_lunch)] == [attempt_id]


async def test_never_is_the_end_of_an_attempt(store: Store) -> None:
    (attempt_id,) = await plan(store, new_case(1))
    await store.attempts.lease("w", 5, NOON, lambda request, now: Verdict(False, "CN-D2", "do not call"))
    denied = await store.attempts.find(attempt_id)
    assert denied is not None and denied.state is AttemptState.DENIED and denied.why == "do not call"


async def test_a_failing_rulebook_forbids(store: Store) -> None:
    (attempt_id,) = await plan(store, new_case(1))

    def broken(request: DialRequest, now: dt.datetime) -> Verdict:
        raise ZeroDivisionError("no pack")

    assert await store.attempts.lease("w", 5, NOON, broken) == []
    attempt = await store.attempts.find(attempt_id)
    assert attempt is not None and attempt.state is AttemptState.WAITING
    assert "no pack" in attempt.why and attempt.not_before > NOON


async def test_the_judge_sees_history_stops_and_consents(store: Store) -> None:
    new = new_case(1)
    debtor = new.case.debtor.id
    (first,) = await plan(store, new)
    await store.attempts.lease("w", 1, NOON, allow)
    await store.attempts.place(first, "w", "call-1", NOON + MINUTE)
    await store.attempts.settle(first, "w", Outcome(Disposition.BUSY), NOON + MINUTE)
    await store.attempts.add(new.case.id, "reminder", NOON)
    await store.contacts.stop(ContactStop("complaint", NOON, debtor_id=debtor, until=NOON + 9 * MINUTE))
    await store.contacts.stop(ContactStop("do_not_call", NOON, number="+86999"))
    await store.contacts.agree(Consent(debtor, "other_hours", NOON, {"from": "07:00", "to": "08:00"}))
    await store.contacts.agree(Consent(debtor, "other_hours", NOON, {"from": "seven"}))
    seen: list[DialRequest] = []

    def note(request: DialRequest, now: dt.datetime) -> Verdict:
        seen.append(request)
        return Verdict(False, "CN-F3", "spacing", now + MINUTE)

    await store.attempts.lease("w", 1, NOON + 2 * MINUTE, note)
    await store.attempts.lease("w", 1, NOON + 10 * MINUTE, note)
    assert [(p.at, p.reached) for p in seen[0].history] == [(NOON + MINUTE, Reached.BUSY)]
    assert [s.kind for s in seen[0].stops] == ["complaint"]
    assert seen[0].consents == (Agreement("other_hours", (dt.time(7), dt.time(8))),)
    assert seen[1].stops == ()


async def test_what_is_under_way_counts_as_a_conversation(store: Store) -> None:
    await plan(store, new_case(1, debtor=1), new_case(2, debtor=1))
    seen: list[tuple[Reached, ...]] = []

    def note(request: DialRequest, now: dt.datetime) -> Verdict:
        seen.append(tuple(past.reached for past in request.history))
        return Verdict()

    await store.attempts.lease("w", 2, NOON, note, caps=LAX)
    assert seen == [(), (Reached.CONVERSATION,)]


async def test_nobody_reached_frees_the_conversation_but_not_the_attempt(store: Store) -> None:
    new = new_case(1)
    caps = Caps(attempts_per_number_day=3)
    await plan(store, new)
    for round_ in range(5):
        now = NOON + round_ * MINUTE
        leased = await store.attempts.lease("w", 1, now, allow, caps=caps)
        assert len(leased) == (1 if round_ < 3 else 0)
        if leased:
            await store.attempts.place(leased[0].id, "w", f"call-{round_}", now)
            again = NextAttempt(now + MINUTE)
            await store.attempts.settle(leased[0].id, "w", NO_ANSWER, now, [again])
    attempts = await store.attempts.of_case(new.case.id)
    assert [a.tries for a in attempts] == [4, 3, 2, 1]
    assert attempts[0].rule == "CN-F2"


async def test_a_conversation_ends_the_day(store: Store) -> None:
    new = new_case(1)
    (first,) = await plan(store, new)
    await store.attempts.lease("w", 1, NOON, allow)
    await store.attempts.settle(first, "w", TALKED, NOON)
    await store.attempts.add(new.case.id, "reminder", NOON)
    assert await store.attempts.lease("w", 1, NOON + MINUTE, allow) == []
    midnight = dt.datetime.combine(NOON.date() + dt.timedelta(days=1), dt.time(), NOON.tzinfo)
    assert await store.attempts.lease("w", 1, midnight - MINUTE, allow) == []
    assert len(await store.attempts.lease("w", 1, midnight, allow)) == 1


async def test_released_attempts_were_never_made(store: Store) -> None:
    (attempt_id,) = await plan(store, new_case(1))
    for _ in range(5):
        assert len(await store.attempts.lease("w", 1, NOON, allow)) == 1
        await store.attempts.release(attempt_id, "w", NOON)
    await store.attempts.lease("w", 1, NOON, allow)
    await store.attempts.place(attempt_id, "w", "call", NOON)
    with pytest.raises(LeaseLost):
        await store.attempts.release(attempt_id, "w", NOON)


async def test_a_killed_workers_attempt_is_settled_and_stays_counted(store: Store) -> None:
    new = new_case(1)
    (attempt_id,) = await plan(store, new)
    await store.attempts.lease("dead", 1, NOON, allow)
    await store.attempts.place(attempt_id, "dead", "call-1", NOON)
    alive = await store.attempts.heartbeat("dead", [attempt_id], NOON + MINUTE / 2)
    assert alive == {attempt_id}
    assert await store.attempts.resolve_orphans(NOON + MINUTE) == []
    late = NOON + 5 * MINUTE
    orphans = await store.attempts.resolve_orphans(late, lambda attempt: [NextAttempt(late)])
    assert [(o.id, o.call_id) for o in orphans] == [(attempt_id, "call-1")]
    assert await store.attempts.heartbeat("dead", [attempt_id], late) == set()
    settled = await store.attempts.find(attempt_id)
    assert settled is not None and settled.disposition is Disposition.FAILED
    assert await store.attempts.lease("w", 1, late, allow) == [], "it may have been a conversation"
    assert await store.attempts.resolve_orphans(late) == []


async def test_the_truth_replaces_the_guess_about_an_orphan(store: Store) -> None:
    new = new_case(1)
    (attempt_id,) = await plan(store, new)
    await store.attempts.lease("slow", 1, NOON, allow)
    await store.attempts.place(attempt_id, "slow", "call-1", NOON)
    late = NOON + 5 * MINUTE
    await store.attempts.resolve_orphans(late, lambda attempt: [NextAttempt(late)])
    await store.attempts.settle(attempt_id, "slow", NO_ANSWER, late, [NextAttempt(late + MINUTE)])
    history = await store.attempts.of_case(new.case.id)
    states = [(a.state, a.disposition) for a in history]
    assert states == [
        (AttemptState.WAITING, None),
        (AttemptState.CANCELLED, None),
        (AttemptState.SETTLED, Disposition.NO_ANSWER),
    ]
    with pytest.raises(LeaseLost):
        await store.attempts.settle(attempt_id, "slow", NO_ANSWER, late)
    assert len(await store.attempts.lease("w", 1, late + MINUTE, allow)) == 1, "the conversation is free again"


async def test_an_orphan_that_was_never_dialled_cannot_be_dialled_later(store: Store) -> None:
    (attempt_id,) = await plan(store, new_case(1))
    await store.attempts.lease("slow", 1, NOON, allow)
    await store.attempts.resolve_orphans(NOON + 5 * MINUTE)
    with pytest.raises(LeaseLost):
        await store.attempts.place(attempt_id, "slow", "call-1", NOON + 5 * MINUTE)
    with pytest.raises(LeaseLost):
        await store.attempts.settle(attempt_id, "slow", TALKED, NOON + 5 * MINUTE)


async def test_settling_writes_promise_and_callback(store: Store) -> None:
    first, second = new_case(1), new_case(2)
    ids = await plan(store, first, second)
    await store.attempts.lease("w", 2, NOON, allow)
    promise = Promise(dt.date(2026, 11, 27), 100_001, confirmed=True)
    paid = Outcome(Disposition.PROMISE_TO_PAY, talked_to=True, call_id="c1", promise=promise)
    later = Outcome(Disposition.CALLBACK, talked_to=True, call_id="c2", callback_at=NOON + 90 * MINUTE)
    await store.attempts.settle(ids[0], "w", paid, NOON, [NextAttempt(NOON + MINUTE, Purpose.PROMISE_EVE)])
    await store.attempts.settle(ids[1], "w", later, NOON)
    (made,) = await store.promises.of_case(first.case.id)
    assert (made.date, made.amount_fen, made.confirmed, made.call_id) == (promise.date, 100_001, True, "c1")
    (booked,) = await store.promises.callbacks()
    assert (booked.case_id, booked.at) == ("C0002", NOON + 90 * MINUTE)
    assert (await store.attempts.of_case(first.case.id))[0].purpose is Purpose.PROMISE_EVE


async def test_a_campaign_never_has_more_calls_than_it_may(store: Store, database_url: str) -> None:
    await store.cases.save([new_case(n) for n in range(20)], NOON)
    await campaign(store, concurrency=3)
    assert await store.campaigns.start("k1", NOON) == 20

    async def lease(name: str) -> int:
        async with Store.from_url(database_url, pool_size=1) as mine:
            return len(await mine.attempts.lease(name, 2, NOON, allow))

    assert sum(await asyncio.gather(*(lease(f"w{n}") for n in range(4)))) == 3
    assert await store.attempts.lease("w", 2, NOON, allow) == []
