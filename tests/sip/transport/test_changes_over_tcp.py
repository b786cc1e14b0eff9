"""Hold, refresh, attended transfer and registration over real TCP connections: nothing falls back to UDP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest_asyncio

from sip import Call, CallState, Held, Replaced, TransferRequested, UserAgent
from tests.sip.laboratory import SilentMedia, answer_at_once

HOST = "127.0.0.1"


class Office:
    """Carol, who transfers, and two whom she calls; every INVITE but the first ones stays on its connection."""

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}
        self.agents = [UserAgent((HOST, 0), media_factory=SilentMedia, on_incoming=self.take, tcp=True) for _ in "123"]

    async def take(self, call: Call) -> None:
        self.calls[call.local.uri.user or ""] = call
        await answer_at_once(call)

    async def dial(self, callee: UserAgent, name: str) -> Call:
        uri = f"sip:{name}@{HOST}:{callee.address[1]};transport=tcp"
        call = self.agents[0].call(uri, from_uri=f"sip:carol@{HOST}")
        await until(lambda: call.state is CallState.CONFIRMED and name in self.calls)
        return call


@pytest_asyncio.fixture
async def office() -> AsyncIterator[Office]:
    office = Office()
    for agent in office.agents:
        await agent.start()
    yield office
    await asyncio.gather(*(agent.close() for agent in office.agents))


async def until(condition: Callable[[], object], within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  real sockets: there is no event to wait for
            await asyncio.sleep(0.005)


async def test_hold_and_attended_transfer(office: Office) -> None:
    carol, alice, bob = office.agents
    to_alice, to_bob = await office.dial(alice, "alice"), await office.dial(bob, "bob")
    hers, his = office.calls["alice"], office.calls["bob"]
    heard: list[object] = []
    hers.on_event = lambda event: heard.append(
        hers.accept_transfer() if isinstance(event, TransferRequested) else event
    )
    his.on_event = heard.append
    await to_alice.hold()
    await until(lambda: Held("recvonly") in heard)
    result = await to_alice.refer(to_bob.remote_target or "", replaces=to_bob, timeout_s=5)
    assert result.succeeded
    await until(lambda: not carol.calls and len(alice.calls) == len(bob.calls) == 1)
    taken = next(event.by for event in heard if isinstance(event, Replaced))
    assert taken.state is CallState.CONFIRMED and taken in bob.calls and taken.id == alice.calls[0].id
    for agent, call in ((carol, to_alice), (carol, to_bob), (alice, alice.calls[0]), (bob, taken)):
        assert {rung.peer.protocol for rung in agent.trace.rungs(call.id)} == {"TCP"}


async def test_a_contact_over_tcp_is_registered_and_taken_out(office: Office) -> None:
    agent, there = office.agents[0], office.agents[1]
    uri = f"sip:{HOST}:{there.address[1]};transport=tcp"
    registration = agent.register(uri, aor="sip:bot@bank.example", credentials=None)
    assert not await registration.wait(5)  # a telephone is no registrar: 405 by TCP
    assert registration.status == 405
    await registration.stop()
