"""StoreDesk: the right person first, nobody kept busy by a call that is over."""

from __future__ import annotations

import datetime as dt

import pytest_asyncio

from tests.voicebot.store.samples import MINUTE, NOON
from voicebot.campaign.dialler import Dialler
from voicebot.domain.clock import FixedClock
from voicebot.domain.records import AgentRecord, CallRecord
from voicebot.handoff.desk import Place, Seat, Wanted
from voicebot.handoff.matching import PATIENCE
from voicebot.handoff.store_desk import StoreDesk
from voicebot.store import Store
from voicebot.telephony.fellows import Fellows


@pytest_asyncio.fixture
async def desk(store: Store) -> StoreDesk:
    for name, skill, waited in (("old", "general", 2), ("nurse", "care", 1)):
        await store.agents.save(AgentRecord(name, name, f"sip:{name}@office", (skill,)))
        await store.agents.set_presence(name, "ready", NOON - waited * MINUTE)
    return StoreDesk(store, FixedClock(NOON))


async def reserve(desk: StoreDesk, skill: str, call_id: str) -> Seat | Place:
    """Stand in the queue and look once."""
    wanted = Wanted(call_id, "asked", skill)
    await desk.wait(wanted)
    return await desk.claim(wanted, ())


async def presence(store: Store, name: str) -> str:
    agent = await store.agents.find(name)
    assert agent is not None
    return agent.presence


async def test_a_person_beats_the_right_person_after_a_while(desk: StoreDesk, store: Store) -> None:
    first = await reserve(desk, "care", "c1")
    assert isinstance(first, Seat) and first.id == "nurse"
    assert await reserve(desk, "care", "c2") == Place(0, hopeless=False), "the right one is only busy"
    later = StoreDesk(store, FixedClock(NOON + PATIENCE))
    second = await later.claim(Wanted("c2", "asked", "care"), ())
    assert isinstance(second, Seat) and second.id == "old"


async def test_who_went_home_during_the_talk_stays_at_home(desk: StoreDesk, store: Store) -> None:
    seat = await reserve(desk, "care", "c1")
    assert isinstance(seat, Seat)
    await store.agents.set_presence("nurse", "offline", NOON)
    await desk.release(seat, talked=True)
    assert await presence(store, "nurse") == "offline"


async def test_housekeeping_gives_back_the_agent_of_a_line_that_died(desk: StoreDesk, store: Store) -> None:
    await store.calls.start(CallRecord("c1", "outbound", "n", NOON, worker="w1"))
    await reserve(desk, "care", "c1")

    async def never(attempt: object) -> None: ...

    clock = FixedClock(NOON + MINUTE)
    dialler = Dialler(store, "w", never, never, clock=clock)  # type: ignore[arg-type]
    await dialler.keep_house()
    assert await presence(store, "nurse") == "busy", "the call still runs as far as anybody knows"
    await store.calls.change("c1", ended_at=NOON + MINUTE)  # the line came back and sealed what was left
    clock.advance(dt.timedelta(seconds=1))
    await dialler.keep_house()
    assert await presence(store, "nurse") == "ready"


async def test_a_person_behind_another_worker_is_rung_by_way_of_it_whoever_wants_them(store: Store) -> None:
    """From the queue, by name, for a consultation and as a supervisor alike."""
    fellows = Fellows("secret", "berg-0")
    fellows.lines = {"berg-0": "192.0.2.1:5060", "tal-0": "192.0.2.2:5060"}
    far = StoreDesk(store, FixedClock(NOON), fellows.way_to)
    for name, via in (("near", None), ("ours", "berg-0"), ("far", "tal-0"), ("gone", "see-0")):
        await store.agents.save(AgentRecord(name, name, f"sip:{name}@office", ("general",), "ready", NOON, via=via))
    rung = {name: await far.find(name) for name in ("near", "ours", "far", "gone")}
    assert {name: seat.sip_uri for name, seat in rung.items() if seat} == {
        "near": "sip:near@office",
        "ours": "sip:ours@office",
        "far": "sip:agent.far@192.0.2.2:5060",
        "gone": "sip:gone@office",
    }
    named = await far.claim_agent("far", "c1")
    assert named is not None and named.sip_uri == "sip:agent.far@192.0.2.2:5060"
