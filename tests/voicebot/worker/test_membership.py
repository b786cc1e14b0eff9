"""Membership: a worker begins calls only while its name is certainly its own and its clock can be believed."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import pytest

from voicebot.domain.clock import FixedClock
from voicebot.domain.fleet import HOLDS_S, Beat, Joining, Told
from voicebot.store.workers import NameTaken
from voicebot.worker.fleet_clock import FleetClock, skew_s
from voicebot.worker.membership import Membership

NOON = dt.datetime(2026, 11, 24, 4, tzinfo=dt.UTC)
pytestmark = pytest.mark.looptime


class Register:
    """Stands for the database: it may be away, refuse, or be slow."""

    def __init__(self) -> None:
        self.epoch, self.away, self.taken, self.hangs = 0, False, False, False
        self.drain, self.joined = False, list[tuple[str, ...]]()
        self.at = NOON
        self.left: list[int] = []

    async def join(self, joining: Joining, running: Collection[str] = ()) -> int:
        await self._answer()
        if self.taken:
            raise NameTaken("another lives under the name")
        self.joined.append(tuple(running))
        self.epoch += 1
        return self.epoch

    async def beat(self, name: str, epoch: int, beat: Beat) -> Told | None:
        await self._answer()
        return Told(self.at, self.drain) if epoch == self.epoch else None

    async def leave(self, name: str, epoch: int) -> None:
        self.left.append(epoch)

    async def _answer(self) -> None:
        if self.hangs:
            await asyncio.sleep(60)
        if self.away:
            raise OSError("away")


class Crew:
    def __init__(self) -> None:
        self.drained: list[bool] = []
        self.given = 0

    def beat(self, skew_ms: int) -> Beat:
        return Beat(skew_ms=skew_ms)

    def running(self) -> Collection[str]:
        return ["c1"]

    def drain(self, on: bool) -> None:
        self.drained.append(on)

    def given_up(self) -> None:
        self.given += 1


@asynccontextmanager
async def member(register: Register, crew: Crew, clock: FixedClock | None = None) -> AsyncIterator[Membership]:
    joining = Joining("berg-0", "berg", "h", "l", "1.0", "0024")
    steady = asyncio.get_running_loop().time
    membership = Membership(register, joining, crew, FleetClock(clock or FixedClock(NOON), steady))
    task = asyncio.create_task(membership.run())
    try:
        yield membership
    finally:
        task.cancel()


async def test_it_holds_while_the_database_answers_and_a_few_seconds_longer() -> None:
    register = Register()
    async with member(register, Crew()) as one:
        assert not one.may_dial, "nobody has joined yet"
        await asyncio.sleep(0.5)
        assert one.may_dial
        register.away = True
        await asyncio.sleep(HOLDS_S - 1.5)
        assert one.may_dial
        await asyncio.sleep(2)
        assert not one.may_dial, "the others may have given us up"
        register.away = False
        await asyncio.sleep(2)
        assert one.may_dial
    await one.leave()
    assert register.left == [1]


async def test_a_database_that_hangs_is_given_up_and_asked_again() -> None:
    register = Register()
    async with member(register, Crew()) as one:
        await asyncio.sleep(0.5)
        register.hangs = True
        await asyncio.sleep(10)
        assert not one.may_dial
        register.hangs = False
        await asyncio.sleep(5)
        assert one.may_dial


async def test_who_was_taken_for_dead_ends_what_rings_and_joins_anew_with_what_runs() -> None:
    register, crew = Register(), Crew()
    async with member(register, crew) as one:
        await asyncio.sleep(0.5)
        register.epoch = 7
        await asyncio.sleep(1)
        assert crew.given == 1 and not one.may_dial
        await asyncio.sleep(1)
        assert one.may_dial and register.epoch == 8 and register.joined[-1] == ("c1",)


async def test_a_taken_name_is_waited_for() -> None:
    register = Register()
    register.taken = True
    async with member(register, Crew()) as one:
        await asyncio.sleep(5)
        assert not one.may_dial
        register.taken = False
        await asyncio.sleep(1.5)
        assert one.may_dial


async def test_an_order_to_drain_is_obeyed_once_and_taken_back() -> None:
    register, crew = Register(), Crew()
    async with member(register, crew):
        await asyncio.sleep(0.5)
        register.drain = True
        await asyncio.sleep(3)
        register.drain = False
        await asyncio.sleep(3)
    assert crew.drained == [True, False]


@pytest.mark.parametrize(("ahead_s", "may_dial"), [(0, True), (3, True), (-29, True), (31, False), (-3600, False)])
async def test_a_clock_that_is_too_wrong_dials_nobody(ahead_s: int, may_dial: bool) -> None:
    register = Register()
    async with member(register, Crew(), FixedClock(NOON + dt.timedelta(seconds=ahead_s))) as one:
        await asyncio.sleep(1.5)
        assert one.skew_s == ahead_s and one.holds
        assert one.may_dial is may_dial


def test_the_way_to_the_database_is_not_taken_for_a_wrong_clock() -> None:
    second = dt.timedelta(seconds=1)
    assert skew_s(NOON, NOON + second, NOON + 2 * second) == 0
    assert skew_s(NOON, NOON + 5 * second, NOON + second) == -4
    assert skew_s(NOON, NOON - 5 * second, NOON + second) == 5
