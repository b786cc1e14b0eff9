"""Payments: once, lowering what is owed, settling promises, closing what is paid."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.domain.attempt import AttemptState, NextAttempt, Outcome, Purpose
from voicebot.domain.case import Promise
from voicebot.domain.event import EventKind
from voicebot.domain.message import MessageState
from voicebot.domain.outcome import Disposition
from voicebot.domain.payment import Payment, PromiseTerms, promise_state
from voicebot.domain.records import PromiseState
from voicebot.messages.planning import promise_messages
from voicebot.store import Store

from .samples import NOON, allow, new_case, plan

TODAY = NOON.date()
DAY = dt.timedelta(days=1)
CASE = "C0001"
OWED = new_case(1).case.amount_fen


def paid(fen: int, reference: str = "p1", on: dt.date = TODAY, case: str = CASE) -> Payment:
    return Payment(case, fen, on, reference)


async def promised(store: Store, fen: int, day: dt.date = TODAY + 3 * DAY) -> int:
    """A case, a waiting call about the promise, and its messages; the promise's id."""
    await plan(store, new_case(1))
    (leased,) = await store.attempts.lease("w", 1, NOON, allow)
    await store.attempts.place(leased.id, "w", "call-1", NOON)
    promise = Promise(day, fen, confirmed=True)
    outcome = Outcome(Disposition.PROMISE_TO_PAY, talked_to=True, call_id="call-1", promise=promise)
    later = NextAttempt(NOON + 3 * DAY, Purpose.PROMISE_DAY, script="promise-day")
    messages = promise_messages(promise, "+8613800000001", NOON)
    await store.attempts.settle(leased.id, "w", outcome, NOON, [later], messages)
    return (await store.promises.of_case(CASE))[0].id


async def kinds(store: Store) -> list[EventKind]:
    return [event.kind for event in reversed(await store.events.of_case(CASE))]


async def test_a_payment_counts_once_however_often_it_is_told(store: Store) -> None:
    await store.cases.save([new_case(1)], NOON)
    first = await store.payments.settle(paid(40_000), NOON)
    again = await store.payments.settle(paid(40_000), NOON + DAY)
    assert (first.new, first.left_fen, again.new, again.left_fen) == (True, OWED - 40_000, False, OWED - 40_000)
    assert (found := await store.cases.find(CASE)) and found.amount_fen == OWED - 40_000
    twice = [paid(1_000, "p2"), paid(1_000, "p2"), paid(2_000, "p3"), paid(5, "p4", case="nobody")]
    settled = await store.payments.settle_many(twice, NOON)
    assert [one and (one.new, one.left_fen) for one in settled] == [
        (True, OWED - 41_000), (False, OWED - 41_000), (True, OWED - 43_000), None,
    ]  # fmt: skip
    assert len(await store.payments.of_case(CASE)) == 3
    assert (await kinds(store)).count(EventKind.PAYMENT_RECEIVED) == 3


async def test_what_makes_no_payment_is_refused(store: Store) -> None:
    with pytest.raises(LookupError, match="no case nobody"):
        await store.payments.settle(paid(5, case="nobody"), NOON)
    for fen, reference in ((0, "p"), (-1, "p"), (1, " ")):
        with pytest.raises(ValueError, match="payment"):
            paid(fen, reference)


async def test_a_case_that_is_paid_is_closed_and_nothing_waits_for_it(store: Store) -> None:
    promise_id = await promised(store, 50_000)
    settled = await store.payments.settle(paid(OWED + 7), NOON)
    assert (settled.closed, settled.left_fen, settled.promise_id) == (True, 0, promise_id)
    assert (record := await store.cases.record(CASE)) and record.status == "closed"
    assert {attempt.state for attempt in await store.attempts.of_case(CASE)} <= {
        AttemptState.SETTLED, AttemptState.CANCELLED,
    }  # fmt: skip
    assert {message.state for message in await store.outbox.of_case(CASE)} == {MessageState.CANCELLED}
    assert await kinds(store) == [
        EventKind.PROMISE_MADE, EventKind.PROMISE_KEPT, EventKind.PAYMENT_RECEIVED, EventKind.CASE_CLOSED,
    ]  # fmt: skip


async def test_payments_add_up_to_a_promise_and_then_nobody_rings_about_it(store: Store) -> None:
    promise_id = await promised(store, 50_000)
    first = await store.payments.settle(paid(20_000), NOON)
    assert (first.promise_id, first.promise_state) == (promise_id, PromiseState.OPEN)
    assert (await store.promises.of_case(CASE))[0].paid_fen == 20_000
    second = await store.payments.settle(paid(30_000, "p2", TODAY + 3 * DAY), NOON + 3 * DAY)
    assert second.promise_state is PromiseState.KEPT
    about = [attempt for attempt in await store.attempts.of_case(CASE) if attempt.purpose is Purpose.PROMISE_DAY]
    assert [attempt.why for attempt in about] == ["promise kept"]
    assert (record := await store.cases.record(CASE)) and record.status == "open"


async def test_money_from_before_the_promise_or_long_after_it_is_not_its_keeping(store: Store) -> None:
    await promised(store, 50_000)
    early = await store.payments.settle(paid(50_000, "before", TODAY - DAY), NOON)
    late = await store.payments.settle(paid(10_000, "after", TODAY + 5 * DAY), NOON + 5 * DAY)
    assert (early.promise_id, late.promise_id) == (None, None)
    assert (await store.promises.of_case(CASE))[0].paid_fen == 0


async def test_money_that_was_on_its_way_heals_a_promise_that_was_given_up(store: Store) -> None:
    promise_id = await promised(store, 50_000)
    await store.promises.mark(promise_id, PromiseState.BROKEN)
    settled = await store.payments.settle(paid(50_000, on=TODAY + 3 * DAY), NOON + 6 * DAY)
    assert settled.promise_state is PromiseState.KEPT


async def test_parts_of_a_plan_take_money_in_the_order_of_their_days(store: Store) -> None:
    await store.cases.save([new_case(1)], NOON)
    for day, fen in ((9, 20_000), (3, 30_000)):
        await store.promises.record(CASE, None, Promise(TODAY + day * DAY, fen, confirmed=True), NOON)
        newest = (await store.promises.of_case(CASE))[0].id
        await store.promises.mark(newest, PromiseState.OPEN)
    for promise in await store.promises.of_case(CASE):
        await store.promises.mark(promise.id, PromiseState.OPEN)
    await store.payments.settle(paid(35_000), NOON)
    states = {(promise.amount_fen, promise.state, promise.paid_fen) for promise in await store.promises.of_case(CASE)}
    assert states == {(30_000, PromiseState.KEPT, 30_000), (20_000, PromiseState.OPEN, 5_000)}


@given(
    promised_fen=st.integers(1, 10**9), paid_fen=st.integers(0, 10**9), days=st.integers(-5, 40),
    grace=st.integers(0, 10), kept=st.floats(0.01, 1), partly=st.floats(0, 1),
)  # fmt: skip
def test_a_promise_is_one_thing_at_a_time(
    promised_fen: int, paid_fen: int, days: int, grace: int, kept: float, partly: float
) -> None:
    terms = PromiseTerms(grace, kept, partly)
    state = promise_state(promised_fen, paid_fen, TODAY, TODAY + days * DAY, terms)
    assert (state is PromiseState.KEPT) == (paid_fen >= promised_fen * kept)
    assert state is not PromiseState.OPEN or days <= grace
    assert state is not PromiseState.BROKEN or (days > grace and paid_fen < promised_fen)
    more = promise_state(promised_fen, paid_fen + 1, TODAY, TODAY + days * DAY, terms)
    rank = [PromiseState.BROKEN, PromiseState.PARTLY_KEPT, PromiseState.OPEN, PromiseState.KEPT]
    assert rank.index(more) >= rank.index(state), "a fen more never makes it worse"
