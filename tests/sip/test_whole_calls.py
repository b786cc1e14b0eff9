"""Two user agents and everything between: loss, delay, reordering, crossing messages, and one real loopback."""

from __future__ import annotations

import asyncio

import pytest

from sip import Answered, Call, CallState, Credentials, DigestServer, Ended, UserAgent
from sip.testing import SimNetwork
from tests.sip.laboratory import Laboratory, SilentMedia, ended

pytestmark = pytest.mark.looptime
CALLEE = "sip:bob@192.0.2.2"


def lossy(seed: int, loss: float) -> Laboratory:
    return Laboratory(SimNetwork(loss=loss, delay_s=0.02, jitter_s=0.3, seed=seed))


async def settled(lab: Laboratory) -> None:
    """After the longest timer nobody is in a call any more, and nothing is left of it."""
    await asyncio.sleep(120)
    for agent in lab.agents:
        assert agent.calls == ()
        await agent.close()
        endpoint = agent._running
        assert not endpoint._incoming and not endpoint._outgoing
    assert all(media.is_closed for media in lab.medias if media.is_open)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("hangs_up", ["caller", "callee"])
async def test_answered_calls_through_a_bad_network(seed: int, hangs_up: str) -> None:
    lab = lossy(seed, 0.2)
    alice, _ = await lab.agent("192.0.2.1"), await lab.agent("192.0.2.2")
    call = alice.call(CALLEE, from_uri="sip:alice@192.0.2.1")
    async with asyncio.timeout(60):
        async for event in call.events():
            if event == Answered():
                break
    await asyncio.sleep(40)  # every 200 that was repeated has got its ACK by now
    there = lab.incoming[0]
    assert len(lab.incoming) == 1 and call.state is there.state is CallState.CONFIRMED
    assert call.id == there.id and not lab.medias[0].is_closed
    await (call if hangs_up == "caller" else there).hangup("bye")
    assert {(await ended(call)).by, (await ended(there)).by} == {"local", "remote"}
    await settled(lab)


@pytest.mark.parametrize("seed", range(6))
async def test_no_answer_through_a_bad_network(seed: int) -> None:
    lab = lossy(seed, 0.15)
    alice = await lab.agent("192.0.2.1")
    await lab.agent("192.0.2.2", takes=lambda call: call.ring())
    call = alice.call(CALLEE, from_uri="sip:alice@192.0.2.1", ring_timeout_s=20)
    end = await ended(call)
    assert (end.by, end.status, end.reason) == ("local", 487, "no answer")
    assert (await ended(lab.incoming[0])).by == "remote"
    await settled(lab)


@pytest.mark.parametrize("seed", range(6))
async def test_busy_through_a_bad_network(seed: int) -> None:
    lab = lossy(seed, 0.2)
    alice = await lab.agent("192.0.2.1")
    await lab.agent("192.0.2.2", takes=lambda call: call.reject(486))
    end = await ended(alice.call(CALLEE, from_uri="sip:alice@192.0.2.1"))
    assert (end.by, end.status) == ("remote", 486)
    await settled(lab)


@pytest.mark.parametrize("seed", range(6))
async def test_challenge_through_a_bad_network(seed: int) -> None:
    lab = lossy(seed, 0.1)
    alice = await lab.agent("192.0.2.1")
    await lab.agent("192.0.2.2", digest=DigestServer("bank", {"bot": "pw"}.get, b"secret"))
    call = alice.call(CALLEE, from_uri="sip:alice@192.0.2.1", credentials=Credentials("bot", "pw"))
    async with asyncio.timeout(90):
        events = []
        async for event in call.events():
            events.append(event)
            if event == Answered():
                await call.hangup()
    assert Answered() in events and len(lab.incoming) == 1
    await settled(lab)


@pytest.mark.parametrize("after_ms", range(0, 260, 20))
async def test_cancel_races_with_the_answer(after_ms: int) -> None:
    """The callee answers after 100 ms; the caller gives up at every moment around it."""

    async def answer_soon(call: Call) -> None:
        call.ring()
        await asyncio.sleep(0.1)
        if call.state is not CallState.ENDED:
            await call.answer()

    lab = Laboratory(SimNetwork(delay_s=0.04))
    alice = await lab.agent("192.0.2.1")
    await lab.agent("192.0.2.2", takes=answer_soon)
    call = alice.call(CALLEE, from_uri="sip:alice@192.0.2.1")
    await asyncio.sleep(after_ms / 1000)
    await call.hangup("gave up")
    assert (await ended(call)).by == "local"
    if lab.incoming:
        assert (await ended(lab.incoming[0])).by == "remote"
    await settled(lab)


async def test_both_hang_up_at_once() -> None:
    lab = Laboratory()
    alice, _ = await lab.agent("192.0.2.1"), await lab.agent("192.0.2.2")
    call = alice.call(CALLEE, from_uri="sip:alice@192.0.2.1")
    await asyncio.sleep(1)
    await asyncio.gather(call.hangup(), lab.incoming[0].hangup())
    assert (await ended(call)).by == (await ended(lab.incoming[0])).by == "local"
    await settled(lab)


async def test_network_dies_in_the_middle_of_a_call() -> None:
    lab = Laboratory()
    alice, _ = await lab.agent("192.0.2.1"), await lab.agent("192.0.2.2")
    call = alice.call(CALLEE, from_uri="sip:alice@192.0.2.1")
    await asyncio.sleep(1)
    lab.network.loss = 1.0
    await asyncio.gather(call.hangup(), lab.incoming[0].hangup())
    await settled(lab)


async def test_closing_the_agent_ends_all_its_calls(lab: Laboratory) -> None:
    alice, bob = await lab.agent("192.0.2.1"), await lab.agent("192.0.2.2")
    calls = [alice.call(CALLEE, from_uri="sip:alice@192.0.2.1") for _ in range(5)]
    await asyncio.sleep(1)
    await alice.close()
    assert [(await ended(call)).reason for call in calls] == ["shutting down"] * 5
    await asyncio.sleep(1)
    assert bob.calls == ()


async def test_many_calls_at_once_do_not_mix(lab: Laboratory) -> None:
    alice, _ = await lab.agent("192.0.2.1"), await lab.agent("192.0.2.2")
    calls = [
        alice.call(f"sip:{n}@192.0.2.2", from_uri="sip:alice@192.0.2.1", headers=[("X-Number", str(n))])
        for n in range(50)
    ]
    await asyncio.sleep(1)
    there = {call.id: call for call in lab.incoming}
    assert all(there[call.id].headers.get("X-Number") == str(n) for n, call in enumerate(calls))
    await calls[7].hangup()
    assert sum(call.state is CallState.CONFIRMED for call in calls) == 49


@pytest.mark.looptime(False)
async def test_a_real_call_over_loopback() -> None:
    medias: list[SilentMedia] = []
    incoming: asyncio.Queue[Call] = asyncio.Queue()

    def media() -> SilentMedia:
        medias.append(SilentMedia(41000 + len(medias)))
        return medias[-1]

    async def take(call: Call) -> None:
        call.ring()
        await call.answer()
        incoming.put_nowait(call)

    alice = UserAgent(("127.0.0.1", 0), media_factory=media)
    bob = UserAgent(("127.0.0.1", 0), media_factory=media, on_incoming=take)
    await alice.start()
    await bob.start()
    async with asyncio.timeout(5):
        port = bob.address[1]
        assert await alice.options(f"sip:127.0.0.1:{port}", timeout_s=2) == 200
        call = alice.call(f"sip:bob@127.0.0.1:{port}", from_uri="sip:alice@127.0.0.1")
        there = await incoming.get()
        async for event in call.events():
            if event == Answered():
                await there.hangup("done")
        assert await ended(call) == Ended("remote", None, "the peer hung up", 16)
        assert {media.starts[0][0] for media in medias} == {("127.0.0.1", 41000), ("127.0.0.1", 41001)}
        await alice.close()
        await bob.close()
    assert all(media.is_closed for media in medias)
