"""Two workers of one fleet: an agent of the one in a call of the other, a rolling restart, and a worker that dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from sip.events import Answered, Ended
from voicebot.domain.clock import SystemClock
from voicebot.domain.fleet import WorkerState
from voicebot.domain.journal import FactKind
from voicebot.domain.records import AgentRecord, CallRecord
from voicebot.evidence.reading import read_audio
from voicebot.telephony.fellows import extension

from .installation import Recording
from .machines import Machine, Machines, machines
from .station import Station, Talk, station
from .tones import tone_ms

pytestmark = pytest.mark.alone
DEBTOR_HZ, AGENT_HZ = 1000, 1400


async def test_two_workers_carry_each_others_people_restart_one_by_one_and_survive_a_death(database_url: str) -> None:
    """One fleet for all of it: it takes a while to start."""
    async with machines(database_url, "berg", "tal") as fleet:
        berg, tal = fleet.workers
        await an_agent_whom_only_tal_reaches_talks_with_a_caller_of_berg(fleet, berg, tal)
        await both_restart_one_after_the_other_and_no_call_ends(fleet, berg, tal)
        await a_call_of_a_dead_worker_is_given_up_and_found_again(fleet, tal)


async def an_agent_whom_only_tal_reaches_talks_with_a_caller_of_berg(
    fleet: Machines, berg: Machine, tal: Machine
) -> None:
    async with station(DEBTOR_HZ) as debtor, station(AGENT_HZ) as agent:
        talk, rung, recording = await joined(fleet, debtor, berg, agent, "a1", via="tal-0")
        assert rung.call.hop is not None and rung.call.hop.port == tal.sip[1], "another line rang the agent"
        await rung.hears(DEBTOR_HZ, 600)
        await talk.hears(AGENT_HZ, 600)
        await talk.call.hangup()
        await rung.ended()
        sound = read_audio(await recording.sealed())
        assert tone_ms(sound[:, 0], AGENT_HZ) > 400 and tone_ms(sound[:, 1], DEBTOR_HZ) > 400
        assert tal.recordings() == {}, "whoever has the debtor records; nobody else does"
        await a_stranger_rings_no_extension(debtor, tal)


async def joined(
    fleet: Machines, debtor: Station, machine: Machine, agent: Station, name: str, via: str | None = None
) -> tuple[Talk, Talk, Recording]:
    """A caller of `machine` and an agent who took them over: their phones, and the recording."""
    ready = AgentRecord(name, "李坐席", agent.uri, ("general",), "ready", SystemClock().now(), via=via)
    await fleet.store.agents.save(ready)
    before = set(machine.recordings())
    talk = debtor.dial(machine.uri)
    await talk.answered(20)
    recording = await machine.recording(before)
    await recording.has(FactKind.SAYING, 30)
    now = SystemClock().now()
    await fleet.store.commands.issue(recording.folder.name, "fetch_person", now, by="test", payload={"reason": "t"})
    rung = await agent.call(30)
    await recording.has(FactKind.JOINED, 60, agent=name)
    return talk, rung, recording


async def a_stranger_rings_no_extension(stranger: Station, tal: Machine) -> None:
    """From a fellow's address, but without the fleet's password."""
    talk = stranger.dial(extension("a1", f"127.0.0.1:{tal.sip[1]}"))
    ended = await talk.ended()
    assert ended.status == 401 and not talk.of(Answered)


async def both_restart_one_after_the_other_and_no_call_ends(fleet: Machines, berg: Machine, tal: Machine) -> None:
    async with station(DEBTOR_HZ) as debtor, station(AGENT_HZ) as agent:
        carried, _, _ = await joined(fleet, debtor, berg, agent, "b1")
        for machine, other, name in ((berg, tal, "b2"), (tal, berg, "b3")):
            worker = f"{machine.name}-0"
            epoch = (await fleet.until(worker, lambda one: one.living)).epoch
            await asyncio.to_thread(fleet.order, "worker", "drain", machine.name)
            await fleet.until(worker, lambda one: one.state is WorkerState.DRAINING and not one.may_dial)
            assert (await refused(debtor, machine)) == 503
            newcomer, _, _ = await joined(fleet, debtor, other, agent, name)
            assert not carried.of(Ended), "the drain ended a call"
            await carried.call.hangup()
            await fleet.until(worker, lambda one: one.drained)
            assert await asyncio.to_thread(machine.stop) == 0
            await fleet.until(worker, lambda one: one.state is WorkerState.LEFT)
            machine.start()
            back = await fleet.until(worker, lambda one: one.state is WorkerState.UP and one.may_dial, 150)
            assert back.epoch > epoch and not back.drain, "a restart ends the drain"
            assert not newcomer.of(Ended)
            carried = newcomer
        await carried.call.hangup()
    calls, _ = await fleet.store.calls.search()
    assert not [call for call in calls if call.lost]


async def refused(debtor: Station, machine: Machine) -> int | None:
    talk = debtor.dial(machine.uri)
    return (await talk.ended()).status


async def a_call_of_a_dead_worker_is_given_up_and_found_again(fleet: Machines, tal: Machine) -> None:
    async with station(DEBTOR_HZ) as debtor:
        before = set(tal.recordings())
        await debtor.dial(tal.uri).answered(20)
        recording = await tal.recording(before)
        await recording.has(FactKind.SAID, 40)
        call_id = recording.folder.name
        await row(fleet, call_id, lambda call: call.running)
        tal.die()
        lost = await row(fleet, call_id, lambda call: call.lost)
        assert not lost.running and "not known" in lost.why
        assert (await fleet.until("tal-0", lambda one: not one.living)).state is WorkerState.GONE
        for _ in range(100):  # the alert rings behind the burial
            if any(alert.kind == "worker_lost" for alert in await fleet.store.alerts.open()):
                break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError("nobody was told")
    tal.start()
    found = await row(fleet, call_id, lambda call: call.bundle is not None, 150)
    assert not found.lost and found.why == "cut by a crash"
    await recording.sealed(30)
    facts = recording.of(FactKind.ENDED)
    assert [fact.data["by"] for fact in facts] == ["crash"], "sealed once"
    await fleet.ready()


async def row(fleet: Machines, call_id: str, wanted: Callable[[CallRecord], bool], within_s: float = 40) -> CallRecord:
    """Wait until the call is written so."""
    found: CallRecord | None = None
    for _ in range(round(within_s / 0.1)):
        found = await fleet.store.calls.find(call_id)
        if found is not None and wanted(found):
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"the call is {found}")
