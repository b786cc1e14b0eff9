"""Many short calls leave nothing behind, and a hundred that end at once disturb nobody."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvloop

from sip import Answered, Call, Ended, UserAgent
from sip.media import MediaSession, MediaWheel, PortPool
from sip.message import CSeq, NameAddr, Uri, Via
from sip.transaction import Timing

pytestmark = [pytest.mark.slow, pytest.mark.alone]

QUICK = Timing(t1=0.15, t2=0.6, t4=0.75)
TALK = b"\x00\x20" * 160


class Ear:
    """Talks, and counts the frames in which nothing was heard."""

    def __init__(self) -> None:
        self.frames = self.silent = 0

    def exchange(self, received: bytes, tick: int) -> bytes:
        self.frames += 1
        self.silent += not any(received[100:120])
        return TALK


class Town:
    """Two user agents on loopback with media on one wheel each."""

    def __init__(self) -> None:
        self.wheels = MediaWheel(), MediaWheel()
        self.answered = 0
        pools = PortPool(25_000, 25_999, quarantine_s=0.5), PortPool(26_000, 26_999, quarantine_s=0.5)
        self.caller, self.callee = (
            UserAgent(
                ("127.0.0.1", 0),
                media_factory=lambda wheel=wheel, pool=pool: MediaSession(wheel, "127.0.0.1", pool),
                on_incoming=self.take,
                timing=QUICK,
            )
            for wheel, pool in zip(self.wheels, pools, strict=True)
        )

    async def start(self) -> None:
        for agent, wheel in zip((self.caller, self.callee), self.wheels, strict=True):
            await agent.start()
            wheel.start()

    async def close(self) -> None:
        for agent, wheel in zip((self.caller, self.callee), self.wheels, strict=True):
            await agent.close()
            wheel.stop()

    async def take(self, call: Call) -> None:
        await call.answer()
        assert call.media is not None
        call.media.set_port(Ear())
        self.answered += 1

    async def dial(self) -> tuple[Call, Ear]:
        """A call that stands, and what its caller hears."""
        call = self.caller.call(f"sip:b@127.0.0.1:{self.callee.address[1]}", from_uri="sip:a@127.0.0.1")
        async for event in call.events():
            assert not isinstance(event, Ended), event
            if isinstance(event, Answered):
                break
        ear = Ear()
        assert call.media is not None
        call.media.set_port(ear)
        return call, ear


@asynccontextmanager
async def a_town() -> AsyncIterator[Town]:
    made = Town()
    await made.start()
    try:
        yield made
    finally:
        await made.close()


def holdings() -> tuple[int, int, int]:
    """Open files and sockets, tasks, threads."""
    return len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks()), threading.active_count()


def memory() -> int:
    """Blocks of memory that live (resident size would tell of the busiest moment); what was parsed last may stay."""
    for cached in (CSeq, NameAddr, Uri, Via):
        cached.parse.cache_clear()  # type: ignore[attr-defined]
    gc.collect()
    return sys.getallocatedblocks()


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts open files as Linux shows them")
def test_five_hundred_calls_of_a_second_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sip.trace.MAX_CALLS", 20)  # the newest 500 ladders are kept on purpose
    uvloop.run(five_hundred_calls())


async def five_hundred_calls() -> None:
    async with a_town() as town:
        await many_calls(town, 2)
        blocks, before = memory(), holdings()  # memory() collects what tests before this one left
        assert await many_calls(town, 13) == 520
        more = memory() - blocks
        assert holdings() == before
        assert more / 520 < 20, "a call leaves memory behind: one that stayed would hold some hundred blocks"
        assert not town.caller.calls and not town.callee.calls


async def many_calls(town: Town, each: int) -> int:
    """Forty lines of so many calls, all of them forgotten in the end; how many were answered."""

    async def line() -> None:
        await asyncio.sleep(random.random())  # a second's calls should not all begin in one instant
        for _ in range(each):
            call, _ = await town.dial()
            await asyncio.sleep(1)
            await call.hangup()

    await asyncio.gather(*(line() for _ in range(40)))
    await asyncio.sleep(QUICK.patience + 1.5)
    answered, town.answered = town.answered, 0
    return answered


def test_a_hundred_calls_that_end_at_once_disturb_no_other() -> None:
    uvloop.run(mass_hang_up())


async def mass_hang_up() -> None:
    async with a_town() as town:
        stay = await asyncio.gather(*(town.dial() for _ in range(10)))
        leave = await asyncio.gather(*(town.dial() for _ in range(100)))
        await asyncio.sleep(0.5)
        await asyncio.gather(*(call.hangup() for call, _ in leave))
        before = [ear.frames - ear.silent for _, ear in stay]
        await asyncio.sleep(0.5)
        for (call, ear), heard in zip(stay, before, strict=True):
            assert call in town.caller.calls and call.media is not None
            assert call.media.stats.lost == 0
            assert ear.frames - ear.silent > heard
