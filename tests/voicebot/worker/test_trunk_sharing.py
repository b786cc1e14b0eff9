"""TrunkSharing: lines together never use more of a trunk than it carries, whoever comes, goes, or dies."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from voicebot.domain.clock import SHANGHAI, FixedClock
from voicebot.store import Store
from voicebot.store.trunk_shares import LASTS, SILENT, Share, Wish
from voicebot.telephony.leg import Ended
from voicebot.telephony.trunk import Account, Registering, Trunk
from voicebot.telephony.trunk_desk import TrunkDesk
from voicebot.worker.trunk_sharing import HELD_S, LONELY_S, TrunkSharing

NOON = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
CARRIER = Trunk("carrier", "192.0.2.1", max_calls=7, calls_per_second=4.0)
BYE = Ended("remote", 200, "bye")


class Line:
    """One line with its desk; time stands still but for what the test adds."""

    def __init__(self, store: Store, name: str, clock: FixedClock) -> None:
        self.seconds = 0.0
        self.desk = TrunkDesk([CARRIER], now=lambda: self.seconds, draw=lambda: 0.0)
        self.sharing = TrunkSharing(store.trunk_shares, self.desk, name, clock, lambda: self.seconds)
        self.name = name

    @property
    def calls(self) -> int:
        return self.desk.states["carrier"].running

    def dial(self) -> bool:
        trunk = self.desk.choose()
        if trunk is None:
            return False
        self.desk.sent(trunk)
        return True

    def hang_up(self) -> None:
        if self.calls:
            self.desk.over(CARRIER, BYE, rung=True)


async def test_a_lone_line_has_the_whole_trunk_and_none_before_the_database_answers(store: Store) -> None:
    line = Line(store, "w0", FixedClock(NOON))
    assert not line.dial()
    assert await line.sharing.renew()
    dialled = []
    for _ in range(16):
        line.seconds += 0.125
        dialled.append(line.dial())
    assert sum(dialled[:8]) == 4, "four calls in the first second"
    assert sum(dialled) == 7, "seven channels"


async def test_two_lines_end_with_half_each_and_one_that_needs_more_gets_what_the_other_spares(store: Store) -> None:
    clock = FixedClock(NOON)
    lines = [Line(store, f"w{n}", clock) for n in range(2)]
    for _ in range(3):
        for line in lines:
            await line.sharing.renew()
    states = [line.desk.states["carrier"] for line in lines]
    assert sum(state.channels for state in states) <= 7 and min(state.channels for state in states) >= 3
    assert sum(state.rate for state in states) == pytest.approx(4.0)


async def test_whatever_happens_in_whatever_order_the_trunk_is_never_overloaded(store: Store) -> None:
    """Seeded chance: lines dial, hang up, renew, and die without a word."""
    chance, clock = random.Random(5), FixedClock(NOON)
    lines = [Line(store, f"w{n}", clock) for n in range(3)]
    most = 0
    for step in range(220):
        line = chance.choice(lines)
        what = chance.random()
        if what < 0.5:
            line.dial()
        elif what < 0.7:
            line.hang_up()
        elif what < 0.97:
            await line.sharing.renew()
        else:  # killed; its calls are gone, its share is not given back; it comes again under its name
            lines[lines.index(line)] = Line(store, line.name, clock)
        for other in lines:
            other.seconds += 0.3
        most = max(most, sum(other.calls for other in lines))
        assert sum(other.calls for other in lines) <= CARRIER.max_calls, f"step {step}"
    assert most == CARRIER.max_calls, "and all of it is used where it is wanted"


async def test_the_share_of_a_line_that_died_is_free_after_a_while(store: Store) -> None:
    clock = FixedClock(NOON)
    gone, other = Line(store, "gone", clock), Line(store, "other", clock)
    await gone.sharing.renew()
    await other.sharing.renew()
    assert other.desk.states["carrier"].channels == 0
    clock.advance(LASTS)
    await other.sharing.renew()
    assert other.desk.states["carrier"].channels == 7


class AwayShares:
    """Stands for a database that is away."""

    async def renew(self, worker: str, wishes: Mapping[str, Wish], now: dt.datetime) -> dict[str, Share]:
        raise OperationalError("SELECT 1", {}, Exception("the server is away"))


async def test_without_the_database_a_line_goes_on_for_a_while_and_then_begins_no_call(store: Store) -> None:
    line = Line(store, "w0", FixedClock(NOON))
    await line.sharing.renew()
    line.sharing._shares = AwayShares()  # type: ignore[assignment]
    line.seconds += 2
    assert not await line.sharing.renew()
    assert line.dial()
    line.seconds += HELD_S
    assert not await line.sharing.renew()
    assert not line.dial()
    assert line.calls == 1, "what runs goes on"


# --- who registers --------------------------------------------------------------------------------------------

WANTS = replace(CARRIER, account=Account("bot", "secret"), registering=Registering())


class Member(Line):
    """A line with a trunk that wants registration."""

    def __init__(self, store: Store, name: str, clock: FixedClock, trunk: Trunk = WANTS, first: bool = True) -> None:
        super().__init__(store, name, clock)
        self.desk = TrunkDesk([trunk], now=lambda: self.seconds, draw=lambda: 0.0)
        self.fit, self.registers = True, False
        self.sharing = TrunkSharing(
            store.trunk_shares, self.desk, name, clock, lambda: self.seconds, self._told, lambda: self.fit, first
        )

    def _told(self, trunk: str, ours: bool) -> None:
        assert trunk == "carrier"
        self.registers = ours


async def settle(*members: Member) -> list[bool]:
    for member in members:
        assert await member.sharing.renew()
    return [member.registers for member in members]


async def test_one_line_registers_for_all_and_another_when_it_dies_or_drains(store: Store) -> None:
    clock = FixedClock(NOON)
    one, two, three = (Member(store, f"w{n}", clock) for n in range(3))
    assert await settle(one, two, three) == [True, False, False]
    assert await settle(three, two, one) == [False, False, True], "it stays with whoever has it"
    clock.advance(SILENT / 2)
    assert await settle(two, three) == [False, False]
    clock.advance(SILENT / 2)
    assert await settle(two, three) == [True, False], "the first is gone"
    assert await settle(one) == [False], "it comes back, and another has its place"
    two.fit = False
    assert await settle(two, three, one) == [False, True, False], "who drains hands over"
    await three.sharing.give_back()
    assert await settle(one) == [True]


async def test_whoever_comes_and_goes_never_two_of_those_who_ask_are_registered(store: Store) -> None:
    chance, clock = random.Random(11), FixedClock(NOON)
    members = [Member(store, f"w{n}", clock) for n in range(4)]
    asked: dict[str, dt.datetime] = {}
    for _ in range(150):
        member = chance.choice(members)
        member.fit = chance.random() > 0.1
        await settle(member)
        asked[member.name] = clock.now()
        clock.advance(dt.timedelta(seconds=chance.random() * 4))
        fresh = [one for one in members if clock.now() - asked.get(one.name, NOON - SILENT) < SILENT]
        assert sum(one.registers for one in fresh) <= 1


async def test_accounts_of_their_own_are_all_registered(store: Store) -> None:
    clock = FixedClock(NOON)
    own = [replace(WANTS, account=Account(f"bot{n}", "secret")) for n in range(2)]
    members = [Member(store, f"w{n}", clock, trunk) for n, trunk in enumerate(own)]
    assert await settle(*members) == [True, True]
    without = Member(store, "w9", clock, CARRIER)
    assert await settle(without) == [False]


async def test_without_the_database_all_stays_as_it_is_and_a_machine_that_starts_registers(store: Store) -> None:
    clock = FixedClock(NOON)
    one, two = Member(store, "w0", clock), Member(store, "w1", clock)
    assert await settle(one, two) == [True, False]
    newcomers = [Member(store, f"n{n}", clock, first=n == 0) for n in range(2)]
    for member in (one, two, *newcomers):
        member.sharing._shares = AwayShares()  # type: ignore[assignment]
    for _ in range(2):
        for member in (one, two, *newcomers):
            member.seconds += LONELY_S
            assert not await member.sharing.renew()
    assert [member.registers for member in (one, two, *newcomers)] == [True, False, True, False]
    newcomers[0].sharing._shares = store.trunk_shares
    assert await settle(newcomers[0]) == [False], "another had it all the time"
