"""Commands to a worker: a call that can't be placed is over at once, and says why."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import OperationalError

from tests.voicebot.campaign.samples import NOON, new_case
from tests.voicebot.store.samples import allow
from voicebot.call.outcome import CallOutcome
from voicebot.call.runner import CallRunner, DialOrder
from voicebot.campaign import placement as placing
from voicebot.campaign.placement import NotDialled, Placement
from voicebot.domain.attempt import AttemptState, Caps
from voicebot.domain.case import CallFacts
from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import Fact
from voicebot.domain.outcome import Disposition
from voicebot.domain.records import CallRecord
from voicebot.domain.talk import Report
from voicebot.evidence.signer import Signer
from voicebot.handoff.store_desk import StoreDesk
from voicebot.store import Store
from voicebot.store.leasing import Ruling
from voicebot.telephony.leg import UndiallableError, Wanted, always
from voicebot.telephony.testing import SimulatedLeg, SimulatedLine
from voicebot.worker import commands
from voicebot.worker.commands import DIAL, HANG_UP, CommandTaker, address_of

HOUR = dt.timedelta(hours=1)


class NoTrunk(SimulatedLine):
    async def dial(
        self, target: str, *, ring_timeout_s: float = 45, caller_id: str | None = None, trunk: str | None = None,
        wanted: Wanted = always,
    ) -> SimulatedLeg:  # fmt: skip
        raise UndiallableError("no trunk for '***': set VOICEBOT_TRUNK to host:port of the SIP trunk")


class Brain:
    def __init__(self) -> None:
        self.alive = True

    def report(self, report: Report) -> None: ...

    def frame(self, call: int, pcm: bytes) -> None: ...

    def stored(self, name: str) -> bytes | None:
        return None


class NoBook:
    """A call that is never placed is no call of the runner: nothing may be written here."""

    def opened(self, facts: CallFacts, script: str, attempt_id: str | None) -> None:
        raise AssertionError(facts)

    def fact(self, call_id: str, fact: Fact) -> None: ...

    def live(self, call_id: str, data: Mapping[str, object]) -> None: ...

    def closed(self, facts: CallFacts, outcome: CallOutcome, bundle: Path, attempt_id: str | None) -> None: ...


def runner(store: Store, folder: Path, brain: Brain | None = None) -> CallRunner:
    return CallRunner(
        NoTrunk(), brain or Brain(), StoreDesk(store, FixedClock(NOON)), NoBook(), FixedClock(NOON),
        recordings=folder / "recordings", signer=Signer.load_or_create(folder / "keys"), scripts=folder,
        max_calls=4, inbound_script="inbound", worker="w1",
    )  # fmt: skip


async def test_a_number_that_cannot_be_dialled_fails_the_attempt_at_once(store: Store, tmp_path: Path) -> None:
    await store.cases.save([new_case(1)], NOON)
    planned = await store.attempts.add("C0001", "reminder", NOON)
    assert planned is not None
    attempt = await store.attempts.find(planned)
    assert attempt is not None
    taker = asyncio.create_task(CommandTaker(store, runner(store, tmp_path), "w1", FixedClock(NOON)).run())
    placement = Placement(store, ["w1"], FixedClock(NOON))
    follower = asyncio.create_task(placement.follow())
    try:
        outcome = await asyncio.wait_for(placement.place(replace(attempt, call_id="call-1")), 10)
    finally:
        taker.cancel()
        follower.cancel()
    assert outcome.disposition is Disposition.FAILED and "VOICEBOT_TRUNK" in outcome.why
    record = await store.calls.find("call-1")
    assert record is not None and not record.running and record.attempt_id == attempt.id


async def test_without_a_brain_no_order_to_dial_is_taken(store: Store, tmp_path: Path) -> None:
    brain = Brain()
    brain.alive = False
    payload = {"call_id": "call-2", "target": "sip:x@192.0.2.1", "script": "reminder"}
    await store.commands.issue(address_of("w1"), DIAL, NOON, by="test", payload=payload)
    orders = CommandTaker(store, runner(store, tmp_path, brain), "w1", FixedClock(NOON))
    await orders._take()
    assert await store.calls.find("call-2") is None, "it was rung with nobody to speak"
    brain.alive = True
    await orders._take()
    await asyncio.gather(*orders._tasks)
    assert await store.calls.find("call-2") is not None, "the order is lost"


async def test_what_is_clicked_about_a_call_reaches_it_while_another_order_waits(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, Mapping[str, object]]] = []
    waiting = asyncio.Event()

    class Session:
        async def hang_up(self) -> None:
            await waiting.wait()

        def command(self, verb: str, payload: Mapping[str, object]) -> bool:
            told.append((verb, payload))
            return True

    orders = CommandTaker(store, runner(store, tmp_path), "w1", FixedClock(NOON))
    monkeypatch.setattr(orders._runner, "find", lambda call_id: Session() if call_id == "c1" else None)
    facts = SimpleNamespace(facts=SimpleNamespace(call_id="c1"))
    monkeypatch.setattr(CallRunner, "sessions", property(lambda runner: {1: facts}))
    await store.commands.issue("c1", HANG_UP, NOON, by="test")
    await store.commands.issue("c1", "supervise", NOON, by="test", payload={"agent": "s0", "mode": "listen"})
    await store.commands.issue("c2", "supervise", NOON, by="test", payload={"agent": "s0", "mode": "listen"})
    await orders._take()
    await asyncio.sleep(0.01)
    assert told == [("supervise", {"agent": "s0", "mode": "listen"})]
    waiting.set()
    await asyncio.gather(*orders._tasks)


async def test_a_preview_dial_names_its_agent(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialled: list[DialOrder] = []

    async def dial(order: DialOrder) -> None:
        dialled.append(order)

    orders = CommandTaker(store, runner(store, tmp_path), "w1", FixedClock(NOON))
    monkeypatch.setattr(orders._runner, "dial", dial)
    payload = {"call_id": "call-3", "target": "sip:x@192.0.2.1", "script": "reminder", "agent_id": "a1"}
    await store.commands.issue(address_of("w1"), DIAL, NOON, by="test", payload=payload)
    await orders._take()
    await asyncio.gather(*orders._tasks)
    assert [(order.call_id, order.agent_id, order.trunk) for order in dialled] == [("call-3", "a1", None)]


async def test_a_database_that_is_away_for_a_moment_costs_no_order(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line has taken it, so nobody else will: it is judged and dialled as soon as the database is back."""
    dialled: list[str] = []
    away = [OperationalError("SELECT", {}, Exception("restarted")) for _ in range(2)]
    find = store.cases.find

    async def shaken(case_id: str) -> object:
        if away:
            raise away.pop()
        return await find(case_id)

    async def dial(order: DialOrder) -> None:
        assert order.case is not None
        dialled.append(order.case.id)

    monkeypatch.setattr(commands, "PAUSES_S", (0.0, 0.0, 0.0))
    await store.cases.save([new_case(1)], NOON)
    orders = CommandTaker(store, runner(store, tmp_path), "w1", FixedClock(NOON))
    monkeypatch.setattr(store.cases, "find", shaken)
    monkeypatch.setattr(orders._runner, "dial", dial)
    payload = {"call_id": "call-4", "case_id": "C0001", "target": "sip:x@192.0.2.1", "script": "reminder"}
    await store.commands.issue(address_of("w1"), DIAL, NOON, by="test", payload=payload)
    await orders._take()
    await asyncio.gather(*orders._tasks)
    assert dialled == ["C0001"]


async def test_what_the_rulebook_forbids_at_the_last_moment_costs_no_attempt(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing rang: the attempt waits until its rule lets it, and neither number nor debtor have been tried."""
    monkeypatch.setattr(placing, "TAKEN_WITHIN_S", 0.2)  # should the follower not listen yet when it is told
    await store.cases.save([new_case(1)], NOON)
    await store.attempts.add("C0001", "reminder", NOON)
    caps, clock = Caps(1, 1, 1, 1), FixedClock(NOON)
    (attempt,) = await store.attempts.lease("control", 1, NOON, allow, caps=caps)
    placement = Placement(store, ["w1"], clock)
    placed = replace(attempt, state=AttemptState.PLACED, call_id="c9")
    await store.attempts.place(attempt.id, "control", "c9", NOON, placement.order(placed))
    full = Ruling(False, "CN-R1", "no room for recordings", NOON + HOUR)
    orders = CommandTaker(store, runner(store, tmp_path), "w1", clock, lambda request, now: full)
    following = asyncio.create_task(placement.follow())
    try:
        waiting = asyncio.create_task(placement.resume(placed))
        await orders._take()
        await asyncio.gather(*orders._tasks)
        with pytest.raises(NotDialled):
            await asyncio.wait_for(waiting, 30)
    finally:
        following.cancel()
    undone = await store.attempts.find(attempt.id)
    assert undone is not None
    assert (undone.state, undone.not_before, undone.leased_by) == (AttemptState.WAITING, NOON + HOUR, None)
    assert "no room" in undone.why and await store.calls.find("c9") is None
    later = NOON + HOUR
    assert len(await store.attempts.lease("control", 1, later, allow, caps=caps)) == 1, "the counters are free again"


async def test_what_was_given_up_meanwhile_is_not_undone(store: Store, tmp_path: Path) -> None:
    """The worker was taken for dead over the order: its attempt counts as lost, and a row of the call says so."""
    await store.cases.save([new_case(1)], NOON)
    await store.attempts.add("C0001", "reminder", NOON)
    (attempt,) = await store.attempts.lease("control", 1, NOON, allow)
    order = Placement(store, ["w1"], FixedClock(NOON)).order(replace(attempt, call_id="c9"))
    await store.attempts.place(attempt.id, "control", "c9", NOON, order)
    await store.calls.start(CallRecord("c9", "outbound", attempt.number, NOON, attempt_id=attempt.id, worker="w1"))
    assert not await store.lost_calls.never_rang(attempt.id, "c9", "given up", NOON)
    assert not await store.lost_calls.never_rang(attempt.id, "another call", "given up", NOON)
