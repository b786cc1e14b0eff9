"""What debtors agree to when they call us is written once, and holds."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator, Mapping

import pytest

from voicebot.campaign.inbound import InboundFollower
from voicebot.domain.attempt import AttemptState, NextAttempt, Purpose
from voicebot.domain.case import Promise
from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.records import CallRecord
from voicebot.store import Store

from .samples import NOON, new_case

NUMBER = "+8613800000001"


async def call(
    store: Store, *facts: tuple[FactKind, Mapping[str, object]], case: str | None = "C0001", direction: str = "inbound"
) -> None:
    """A call c1 that is over, with these facts between answer and end."""
    await store.cases.save([new_case(1)], NOON)
    await store.calls.start(CallRecord("c1", direction, NUMBER, NOON, case_id=case))
    whole = [(FactKind.ANSWERED, {}), *facts, (FactKind.ENDED, {"by": "remote", "status": None, "reason": ""})]
    await store.facts.append("c1", [Fact(n, NOON.isoformat(), n, kind, data) for n, (kind, data) in enumerate(whole)])
    await store.calls.change("c1", ended_at=NOON)


PROMISED = (FactKind.PROMISED, {"date": "2026-11-27", "amount_fen": 100_001, "confirmed": True, "channel": None})
DO_NOT_CALL = (FactKind.DISPOSITION, {"disposition": "do_not_call", "why": ""})


async def test_a_promise_takes_the_place_of_what_was_planned(store: Store) -> None:
    await call(store, PROMISED)
    planned = await store.attempts.add("C0001", "gentle", NOON)
    follower = InboundFollower(store, FixedClock(NOON))
    await follower.settle("c1")
    await follower.settle("c1")
    (promise,) = await store.promises.of_case("C0001")
    assert (promise.date, promise.call_id, promise.confirmed) == (dt.date(2026, 11, 27), "c1", True)
    attempts = await store.attempts.of_case("C0001")
    assert {(one.purpose, one.state, one.script) for one in attempts} == {
        (Purpose.REMINDER, AttemptState.CANCELLED, "gentle"),
        (Purpose.PROMISE_DAY, AttemptState.WAITING, "promise-day"),
    }
    assert planned is not None


async def test_a_stop_holds_for_the_number_when_nobody_knows_the_caller(store: Store) -> None:
    await call(store, (FactKind.STOPPED, {"scope": "debtor", "reason": "dnc_stop"}), DO_NOT_CALL, case=None)
    follower = InboundFollower(store, FixedClock(NOON))
    await follower.catch_up()
    await follower.catch_up()
    (stop,) = await store.contacts.stops_of(None, NUMBER, NOON)
    assert (stop.reason, stop.call_id, stop.debtor_id) == ("do_not_call", "c1", None)


async def test_a_callback_is_booked_once(store: Store) -> None:
    await call(store, (FactKind.CALLBACK_BOOKED, {"at": None, "reason": "来电没有谈完"}), case=None)
    follower = InboundFollower(store, FixedClock(NOON))
    running = asyncio.create_task(follower.run())
    for _ in range(100):
        await store.calls.close("c1", ended_at=NOON)
        if await store.promises.callback_of("c1"):
            break
        await asyncio.sleep(0.05)
    await follower.catch_up()
    running.cancel()
    (callback,) = await store.promises.callbacks()
    assert (callback.call_id, callback.number, callback.reason) == ("c1", NUMBER, "来电没有谈完")


async def test_calls_of_ours_are_settled_by_their_attempt(store: Store) -> None:
    await call(store, PROMISED, direction="outbound")
    await InboundFollower(store, FixedClock(NOON)).catch_up()
    assert await store.promises.of_case("C0001") == []


async def test_a_promise_is_written_whole_or_not_at_all(store: Store) -> None:
    """As when the process dies between the promise and its reminders."""
    await call(store, PROMISED)
    planned = await store.attempts.add("C0001", "gentle", NOON)
    promise = Promise(dt.date(2026, 11, 27), 100_001, confirmed=True)

    def dies() -> Iterator[NextAttempt]:
        yield NextAttempt(NOON, Purpose.PROMISE_EVE)
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        await store.inbound.promise("C0001", "c1", promise, NOON, reminders=dies())  # type: ignore[arg-type]
    assert await store.promises.of_case("C0001") == []
    assert [(a.id, a.state) for a in await store.attempts.of_case("C0001")] == [(planned, AttemptState.WAITING)]
    follower = InboundFollower(store, FixedClock(NOON))
    await asyncio.gather(follower.settle("c1"), InboundFollower(store, FixedClock(NOON)).settle("c1"))
    assert len(await store.promises.of_case("C0001")) == 1
    waiting = [a.purpose for a in await store.attempts.of_case("C0001") if a.state is AttemptState.WAITING]
    assert len(waiting) == len(set(waiting)) > 0 and Purpose.REMINDER not in waiting
