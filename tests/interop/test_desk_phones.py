"""The whole product between foreign telephones: baresip as debtor, linphone as the agent's desk phone, a supervisor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voicebot.domain.clock import SystemClock
from voicebot.domain.journal import FactKind
from voicebot.domain.records import AgentRecord
from voicebot.evidence.reading import read_audio
from voicebot.store import Store

from .baresip import OVER, Baresip, baresip
from .installation import Installation, Recording
from .linphone import Linphone, linphone
from .peers import requires
from .station import Station, station
from .tones import RATE, tone_ms

pytestmark = [pytest.mark.alone, requires("baresip", "linphonec")]
SUPERVISOR_HZ, DEBTOR_HZ, AGENT_HZ = 440, 1000, 1400
SKILL = "desk_phones"
"""Nobody else in this installation has it."""


async def test_an_agent_s_desk_phone_and_a_supervisor(served: Installation, tmp_path: Path) -> None:
    async with (
        station(SUPERVISOR_HZ) as supervisor,
        linphone(tmp_path, AGENT_HZ, "agent") as agent,
        baresip(tmp_path, DEBTOR_HZ, user="debtor") as debtor,
        served.recording() as recording,
        Store.from_url(served.database_url) as store,
    ):
        await seat(store, AgentRecord("desk", "一号坐席", agent.uri, (SKILL,)), "ready")
        await seat(store, AgentRecord("boss", "值班主管", supervisor.uri), "away")
        call = await rings_in(served, debtor, recording)
        await order(store, call, "fetch_person", reason="request", skill=SKILL)
        joined = await call.has(FactKind.JOINED, within_s=30)
        began = call.of(FactKind.TRANSFER_STARTED)[0]
        rang = call.of(FactKind.AGENT_RINGING)[0]
        print(f"trigger to ringing {rang.ms - began.ms} ms, acceptance to joining {joined.data['accept_ms']} ms")
        assert rang.ms - began.ms <= 1000, call.story()
        assert int(str(joined.data["accept_ms"])) <= 300, call.story()
        await supervised(store, call, supervisor, agent)
        await agent.hears(DEBTOR_HZ, 4000, share=0.3)
        await debtor.hears(AGENT_HZ, 4000, share=0.3)
        await agent.type("terminate all")
        await debtor.says(OVER, within_s=20)
        await call.sealed()
        await agent.stop()
        await debtor.stop()
    assert tone_ms(debtor.heard(), SUPERVISOR_HZ, 0.1) < 300, "the debtor heard the supervisor"
    recorded(call, joined.ms)


async def supervised(store: Store, call: Recording, supervisor: Station, agent: Linphone) -> None:
    """Listen: hears both. Whisper: as well. Leave: the line to them is hung up."""
    await order(store, call, "supervise", agent="boss", mode="listen")
    talk = await supervisor.call()
    await call.has(FactKind.SUPERVISOR_JOINED, mode="listen")
    await talk.hears(DEBTOR_HZ, 1000, share=0.2)
    await talk.hears(AGENT_HZ, 1000, share=0.2)
    await order(store, call, "supervise", agent="boss", mode="whisper")
    await call.has(FactKind.SUPERVISOR_JOINED, mode="whisper")
    await agent.hears(SUPERVISOR_HZ, 1000, share=0.1)
    await order(store, call, "supervise", agent="boss", mode="leave")
    await talk.ended()


def recorded(call: Recording, joined_ms: int) -> None:
    """From the moment of joining on: the debtor on the one side, the agent on the other."""
    sound = np.ascontiguousarray(read_audio(call.bundle)[joined_ms * RATE // 1000 :])
    ours, theirs = np.ascontiguousarray(sound[:, 0]), np.ascontiguousarray(sound[:, 1])
    assert tone_ms(theirs, DEBTOR_HZ) > 4000, "no debtor in the recording"
    assert tone_ms(ours, AGENT_HZ, 0.3) > 4000, "no agent in the recording"


async def seat(store: Store, agent: AgentRecord, presence: str) -> None:
    await store.agents.save(agent)
    await store.agents.set_presence(agent.id, presence, SystemClock().now())


async def rings_in(served: Installation, debtor: Baresip, recording: object) -> Recording:
    """The debtor calls; the bot begins to speak."""
    await debtor.tell("dial", served.uri)
    await debtor.says("Call established", within_s=15)
    call: Recording = recording()  # type: ignore[operator]
    await call.has(FactKind.SAYING)
    return call


async def order(store: Store, call: Recording, verb: str, **payload: object) -> None:
    await store.commands.issue(call.folder.name, verb, SystemClock().now(), by="test", payload=payload)
