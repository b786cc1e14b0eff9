"""StoreDesk: the right person first, nobody kept busy by a call that is over."""

from __future__ import annotations

import datetime as dt

import pytest_asyncio

from tests.voicebot.store.samples import MINUTE, NOON
from voicebot.campaign.dialler import Dialler
from voicebot.domain.clock import FixedClock
from voicebot.domain.records import AgentRecord, CallRecord
from voicebot.handoff.store_desk import StoreDesk
from voicebot.store import Store


@pytest_asyncio.fixture
async def desk(store: Store) -> StoreDesk:
    for name, skill, waited in (("old", "general", 2), ("nurse", "care", 1)):
        await store.agents.save(AgentRecord(name, name, f"sip:{name}@office", (skill,)))
        await store.agents.set_presence(name, "ready", NOON - waited * MINUTE)
    return StoreDesk(store.agents, FixedClock(NOON))


async def presence(store: Store, name: str) -> str:
    agent = await store.agents.find(name)
    assert agent is not None
    return agent.presence


async def test_a_person_beats_the_right_person(desk: StoreDesk) -> None:
    first, second = [await desk.reserve("care", call, ()) for call in ("c1", "c2")]
    assert first and second and (first.id, second.id) == ("nurse", "old")
    assert await desk.reserve("care", "c3", ()) is None


async def test_who_went_home_during_the_talk_stays_at_home(desk: StoreDesk, store: Store) -> None:
    seat = await desk.reserve("care", "c1", ())
    assert seat is not None
    await store.agents.set_presence("nurse", "offline", NOON)
    await desk.release(seat, talked=True)
    assert await presence(store, "nurse") == "offline"


async def test_housekeeping_gives_back_the_agent_of_a_line_that_died(desk: StoreDesk, store: Store) -> None:
    await store.calls.start(CallRecord("c1", "outbound", "n", NOON, worker="w1"))
    await desk.reserve("care", "c1", ())

    async def never(attempt: object) -> None: ...

    clock = FixedClock(NOON + MINUTE)
    dialler = Dialler(store, "w", never, never, clock=clock)  # type: ignore[arg-type]
    await dialler.keep_house()
    assert await presence(store, "nurse") == "busy", "the call still runs as far as anybody knows"
    await store.calls.change("c1", ended_at=NOON + MINUTE)  # the line came back and sealed what was left
    clock.advance(dt.timedelta(seconds=1))
    await dialler.keep_house()
    assert await presence(store, "nurse") == "ready"
