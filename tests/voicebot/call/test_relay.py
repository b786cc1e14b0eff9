"""Relay: an agent's telephone behind this worker, in a call of another: rung, answered, heard and ended as one."""

from __future__ import annotations

import asyncio

import pytest

from tests.voicebot.handoff.one_call import settle, voice
from voicebot.call.relay import Relays
from voicebot.domain.records import AgentRecord
from voicebot.telephony.fellows import extension
from voicebot.telephony.leg import Answered, Ended, Held, KeyPressed, Resumed, Ringing, UndiallableError
from voicebot.telephony.testing import SimulatedLeg, SimulatedLine

AGENT = AgentRecord("a/1", "李坐席", "sip:desk@192.0.2.9", via="tal-0")
DEBTOR, PERSON = voice(300), voice(900)


async def find(agent_id: str) -> AgentRecord | None:
    return AGENT if agent_id == AGENT.id else None


def fellow(agent_id: str = AGENT.id) -> SimulatedLeg:
    leg = SimulatedLeg("sip:voicebot@192.0.2.2:5060")
    leg.local = extension(agent_id, "192.0.2.1:5060")
    return leg


async def joined() -> tuple[Relays, SimulatedLeg, SimulatedLeg]:
    line, leg = SimulatedLine(), fellow()
    relays = Relays(line, find)
    await relays.take(leg)
    await settle()
    (phone,) = line.legs
    phone.tell(Answered())
    await settle()
    return relays, leg, phone


async def test_sound_goes_both_ways_and_nothing_is_added() -> None:
    relays, leg, phone = await joined()
    assert phone.remote == AGENT.sip_uri and relays.running == 1
    heard = [(leg.tick(tick, DEBTOR), phone.tick(tick, PERSON)) for tick in range(4)]
    assert heard[-1] == (PERSON, DEBTOR)
    await relays.drain(0)


async def test_ringing_keys_and_hold_are_passed_on() -> None:
    line, leg = SimulatedLine(), fellow()
    relays = Relays(line, find)
    await relays.take(leg)
    await settle()
    phone = line.legs[0]
    phone.tell(Ringing(180))
    await settle()
    assert leg.rings
    for event in (Answered(), KeyPressed("1"), Held()):
        phone.tell(event)
    leg.tell(KeyPressed("5"))
    await settle()
    assert (leg.keys, phone.keys, leg.held) == ("1", "5", True)
    phone.tell(Resumed())
    await settle()
    assert not leg.held
    await relays.drain(0)


@pytest.mark.parametrize("first", ["fellow", "phone"])
async def test_who_hangs_up_ends_both(first: str) -> None:
    relays, leg, phone = await joined()
    (leg if first == "fellow" else phone).tell(Ended("remote", None, "bye"))
    await settle()
    assert leg.ended is not None and phone.ended is not None and relays.running == 0


@pytest.mark.parametrize(("status", "told"), [(486, 486), (603, 603), (None, 480), (200, 480)])
async def test_why_nobody_answered_is_told(status: int | None, told: int) -> None:
    line, leg = SimulatedLine(), fellow()
    await Relays(line, find).take(leg)
    await settle()
    line.legs[0].tell(Ended("remote", status, "no"))
    await settle()
    assert leg.refused == (told, None)


async def test_an_agent_nobody_knows_and_a_phone_nobody_can_ring() -> None:
    leg = fellow("nobody")
    await Relays(SimulatedLine(), find).take(leg)
    await settle()
    assert leg.refused == (404, None)

    class NoWay(SimulatedLine):
        async def dial(self, target: str, **options: object) -> SimulatedLeg:  # type: ignore[override]
            raise UndiallableError("no trunk")

    leg = fellow()
    await Relays(NoWay(), find).take(leg)
    await settle()
    assert leg.refused == (480, None)


async def test_a_drain_waits_for_relayed_calls_and_then_ends_them() -> None:
    relays, leg, phone = await joined()
    draining = asyncio.create_task(relays.drain(30))
    await settle()
    assert not draining.done()
    phone.tell(Ended("remote", None, "bye"))
    await asyncio.wait_for(draining, 20)
    assert leg.ended is not None
