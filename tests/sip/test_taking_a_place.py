"""INVITE with Replaces (RFC 3891): somebody takes the place of a call, and a whole attended transfer of our own."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import strategies as st

from sip import (
    Answered,
    Call,
    CallState,
    Ended,
    Replaced,
    TransferRequested,
)
from sip.testing import SimNetwork
from tests.sip.laboratory import Laboratory, ended
from tests.sip.standing import standing

pytestmark = pytest.mark.looptime

BOT = "sip:95588@192.0.2.1"
TOKENS = st.text("abcXYZ0189-._~", min_size=1, max_size=12)


async def test_a_call_with_replaces_takes_the_place_of_the_old_one(lab: Laboratory) -> None:
    there = await standing(lab)
    seen: list[object] = []
    there.call.on_event = seen.append
    newcomer = lab.peer("192.0.2.60")
    names = f"{there.call.id};to-tag={there.call.local_tag};from-tag=peer"
    invite = newcomer.compose(
        "INVITE", "sip:95588@192.0.2.1", call_id="new", body=newcomer.sdp(), headers=[("Replaces", names)]
    )
    newcomer.send(invite, there.agent.address)
    assert (await newcomer.response(200)).call_id == "new"
    there.peer.reply(await there.peer.request("BYE"), 200)
    assert isinstance(seen[0], Replaced) and seen[1:] == [Ended("local", None, "replaced")]
    new = seen[0].by
    assert new.state is CallState.CONFIRMED and new in there.agent.calls and lab.incoming == []
    newcomer.send(newcomer.compose("ACK", "sip:x@192.0.2.1", call_id="new", to_tag=new.local_tag), there.agent.address)


@pytest.mark.parametrize(("refusal", "answer"), [(503, 200), (403, 403)])
async def test_a_full_house_still_lets_a_call_be_taken_over_but_a_stranger_stays_out(
    lab: Laboratory, refusal: int, answer: int
) -> None:
    agent = await lab.agent(allow=lambda source, request: refusal)
    there = await standing(lab, agent=agent)
    newcomer = lab.peer("192.0.2.60")
    for names, status in (("x;to-tag=1;from-tag=2", refusal), (str(there.call.as_replaced()), refusal)):
        newcomer.send(
            newcomer.compose("INVITE", BOT, call_id=names, body=newcomer.sdp(), headers=[("Replaces", names)]),
            agent.address,
        )
        await newcomer.response(status)
    own = f"{there.call.id};to-tag={there.call.local_tag};from-tag=peer"
    newcomer.send(
        newcomer.compose("INVITE", BOT, call_id="own", body=newcomer.sdp(), headers=[("Replaces", own)]), agent.address
    )
    await newcomer.response(answer)


@pytest.mark.parametrize(
    ("names", "status"),
    [
        ("nobody;to-tag=1;from-tag=2", 481),
        ("{id};to-tag={ours};from-tag=wrong", 481),
        ("{id};to-tag=peer;from-tag={ours}", 481),
        ("{id};to-tag={ours};from-tag=peer;early-only", 486),
        ("{id};to-tag={ours}", 400),
        ("", 400),
    ],
)
async def test_a_place_that_may_not_be_taken(lab: Laboratory, names: str, status: int) -> None:
    there = await standing(lab)
    newcomer = lab.peer("192.0.2.60")
    replaces = names.format(id=there.call.id, ours=there.call.local_tag)
    invite = newcomer.compose("INVITE", "sip:x@192.0.2.1", call_id="new", body=newcomer.sdp(),
                              headers=[("Replaces", replaces)])  # fmt: skip
    newcomer.send(invite, there.agent.address)
    await newcomer.response(status)
    assert there.call.state is CallState.CONFIRMED and lab.incoming == []


async def test_the_place_of_a_call_of_ours_that_still_rings(lab: Laboratory) -> None:
    agent, callee, newcomer = await lab.agent(), lab.peer(), lab.peer("192.0.2.60")
    call = agent.call("sip:x@192.0.2.99", from_uri="sip:bot@192.0.2.1")
    ringing = await callee.request("INVITE")
    callee.reply(ringing, 180)
    await asyncio.sleep(0.1)
    names = f"{call.id};to-tag={call.local_tag};from-tag=peer;early-only"
    newcomer.send(
        newcomer.compose("INVITE", BOT, call_id="new", body=newcomer.sdp(), headers=[("Replaces", names)]),
        agent.address,
    )
    await newcomer.response(200)
    callee.reply(await callee.request("CANCEL"), 200)
    callee.reply(ringing, 487)
    assert (await ended(call)).reason == "replaced"


@pytest.mark.parametrize("seed", range(8))
async def test_attended_transfer_between_three_of_our_own_on_a_bad_network(seed: int) -> None:
    """Carol calls Alice and Bob and puts them together: they talk, she is gone."""
    lab = Laboratory(SimNetwork(loss=0.1, delay_s=0.03, jitter_s=0.15, seed=seed))
    carol, _, _ = [await lab.agent(f"192.0.2.{n}") for n in (1, 2, 3)]
    to_alice = carol.call("sip:alice@192.0.2.2", from_uri="sip:carol@192.0.2.1")
    to_bob = carol.call("sip:bob@192.0.2.3", from_uri="sip:carol@192.0.2.1")
    for call in (to_alice, to_bob):
        async for event in call.events():
            if event == Answered():
                break
    await asyncio.sleep(40)
    alice = next(call for call in lab.incoming if "alice" in call.local_uri)
    bob = next(call for call in lab.incoming if "bob" in call.local_uri)
    taken: list[Call] = []
    placed: list[Call] = []
    bob.on_event = lambda event: taken.append(event.by) if isinstance(event, Replaced) else None
    alice.on_event = lambda event: (
        placed.append(alice.accept_transfer()) if isinstance(event, TransferRequested) else None
    )
    await to_alice.hold()
    result = await to_alice.refer(to_bob.remote_target or "", replaces=to_bob, timeout_s=120)
    assert result.succeeded
    ends = await asyncio.gather(ended(to_alice), ended(to_bob), ended(alice), ended(bob))
    assert {end.reason for end in ends} <= {"transferred", "the peer hung up", "replaced"}
    await asyncio.sleep(60)
    assert placed[0].state is taken[0].state is CallState.CONFIRMED and placed[0].id == taken[0].id
    assert carol.calls == ()
    await placed[0].hangup()
    await asyncio.sleep(100)
    for agent in lab.agents:
        assert agent.calls == () and agent._running.faults == 0
        await agent.close()
