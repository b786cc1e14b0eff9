"""Whoever sends too much is not read; a flood of strangers leaves friends alone, and the log short."""

from __future__ import annotations

import asyncio
import logging

import pytest

from sip import CallState
from sip.flood import FRIEND, MAX_SOURCES, STRANGER, STRANGERS, FloodGate
from sip.seldom import Seldom
from tests.sip.laboratory import Laboratory

BOT = "sip:bot@192.0.2.1"
AGENT = ("192.0.2.1", 5060)


def admitted(gate: FloodGate, host: str, count: int, now: float) -> int:
    return sum(gate.admits(host, now) for _ in range(count))


def test_a_stranger_has_a_burst_and_then_a_rate() -> None:
    gate = FloodGate()
    assert admitted(gate, "a", 10_000, 5.0) == STRANGER.burst
    assert admitted(gate, "a", 10_000, 6.0) == STRANGER.per_second
    assert gate.dropped == 20_000 - STRANGER.burst - STRANGER.per_second


def test_forged_addresses_share_one_allowance_and_one_table() -> None:
    gate = FloodGate()
    assert sum(gate.admits(f"source {n}", 0.0) for n in range(50_000)) == STRANGERS.burst
    assert len(gate._strangers) <= MAX_SOURCES


def test_friends_are_read_while_strangers_flood() -> None:
    gate = FloodGate()
    gate.welcome("trunk", 0.0)
    admitted(gate, "stranger", 10_000, 0.0)
    assert admitted(gate, "trunk", 20_000, 0.0) == FRIEND.burst
    gate.welcome("trunk", 0.0)
    assert not gate.admits("trunk", 0.0), "a second welcome is no second burst"


def test_a_log_line_comes_seldom_and_counts_what_it_stands_for() -> None:
    seldom = Seldom(10)
    assert [seldom.due(at) for at in (0.0, 1.0, 9.9, 10.0, 10.5, 20.0)] == [1, None, None, 3, None, 2]


@pytest.mark.looptime
async def test_a_call_stands_through_a_flood_that_is_dropped_unread(
    lab: Laboratory, caplog: pytest.LogCaptureFixture
) -> None:
    agent, trunk, stranger = await lab.agent(), lab.peer(), lab.peer("203.0.113.9")
    trunk.send(trunk.compose("INVITE", BOT, body=trunk.sdp()), AGENT)
    tag = (await trunk.response(200)).to.tag
    trunk.send(trunk.compose("ACK", BOT, to_tag=tag), AGENT)
    with caplog.at_level(logging.WARNING, "sip"):
        for number in range(1200):
            stranger.send(stranger.compose("OPTIONS", BOT, call_id=f"flood{number}") if number % 2 else b"?", AGENT)
        await asyncio.sleep(1)
    assert agent._running.flood.dropped >= 1200 - STRANGER.burst - STRANGER.per_second
    assert len(caplog.records) <= 2, "one line for the unreadable, one for the flood"
    trunk.send(trunk.compose("BYE", BOT, to_tag=tag, cseq=2), AGENT)
    await trunk.response(200)
    assert lab.incoming[0].state is CallState.ENDED
