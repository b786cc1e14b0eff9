"""TrunkSharing: lines together never use more of a trunk than it carries, whoever comes, goes, or dies."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping

import pytest
from sqlalchemy.exc import OperationalError

from voicebot.domain.clock import SHANGHAI, FixedClock
from voicebot.store import Store
from voicebot.store.trunk_shares import LASTS, Share, Wish
from voicebot.telephony.leg import Ended
from voicebot.telephony.trunk import Trunk
from voicebot.telephony.trunk_desk import TrunkDesk
from voicebot.worker.trunk_sharing import HELD_S, TrunkSharing

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
    line.seconds += 1
    assert sum(line.dial() for _ in range(4)) == 4
    line.seconds += 1
    assert sum(line.dial() for _ in range(9)) == 3, "seven channels"


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
