"""Membership: one worker's place in the fleet, renewed every second; without it no call is begun."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Collection
from typing import Protocol

import structlog

from voicebot.domain.fleet import HOLDS_S, SKEW_STOPS_S, SKEW_WARNS_S, Beat, Joining, Told
from voicebot.store.database import is_away
from voicebot.store.workers import NameTaken
from voicebot.worker.fleet_clock import FleetClock, skew_s

log = structlog.get_logger(__name__)

EVERY_S = 1.0
ANSWERED_WITHIN_S = 3.0
"""A sign of life that takes longer is given up, and tried on another connection."""


class Register(Protocol):
    """Where workers are written down: voicebot.store.workers."""

    async def join(self, joining: Joining, running: Collection[str] = ()) -> int: ...

    async def beat(self, name: str, epoch: int, beat: Beat) -> Told | None: ...

    async def leave(self, name: str, epoch: int) -> None: ...


class Crew(Protocol):
    """The line that is the member."""

    def beat(self, skew_ms: int) -> Beat:
        """What it says of itself now."""
        ...

    def running(self) -> Collection[str]:
        """Ids of the calls that go on."""
        ...

    def drain(self, on: bool) -> None:
        """Take no further calls, or take them again."""
        ...

    def given_up(self) -> None:
        """The others took us for dead and have settled our calls: what only rings must end."""
        ...


class Membership:
    """`clock` is set by what the database says; its steady seconds go on while the process is stopped."""

    def __init__(self, register: Register, joining: Joining, crew: Crew, clock: FleetClock) -> None:
        self._register, self._joining, self._crew, self._clock = register, joining, crew, clock
        self._monotonic = clock.monotonic
        self._epoch: int | None = None
        self._beaten_at: float | None = None
        self._drains = False
        self._warned = False
        self.skew_s = 0.0
        """How far our clock is before the database's."""

    @property
    def holds(self) -> bool:
        """Nobody can have taken us for dead: a call may be begun."""
        fresh = self._beaten_at is not None and self._monotonic() - self._beaten_at < HOLDS_S
        return self._epoch is not None and fresh

    @property
    def may_dial(self) -> bool:
        """False also while our clock is too wrong to judge by."""
        return self.holds and abs(self.skew_s) <= SKEW_STOPS_S

    async def run(self) -> None:
        """Join, and show signs of life until cancelled; a database that is away is waited for."""
        while True:
            try:
                async with asyncio.timeout(ANSWERED_WITHIN_S):
                    await (self._beat(self._epoch) if self._epoch is not None else self._join())
            except NameTaken as taken:
                log.error("this worker can't join", error=str(taken))
            except TimeoutError:
                log.warning("the database is slow to take a sign of life", worker=self._joining.name)
            except Exception as error:
                if not is_away(error):
                    log.exception("a sign of life is refused")
            await asyncio.sleep(EVERY_S)

    async def leave(self) -> None:
        """The line has no calls any more; a database that is away takes us for dead by itself."""
        epoch, self._epoch = self._epoch, None
        if epoch is None:
            return
        try:
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                await self._register.leave(self._joining.name, epoch)
        except Exception as error:
            if not (isinstance(error, TimeoutError) or is_away(error)):
                raise

    async def _join(self) -> None:
        self._epoch = await self._register.join(self._joining, self._crew.running())
        log.info("joined", worker=self._joining.name, epoch=self._epoch)
        await self._beat(self._epoch)

    async def _beat(self, epoch: int) -> None:
        began, monotonic = self._clock.own.now(), self._monotonic()
        told = await self._register.beat(self._joining.name, epoch, self._crew.beat(round(self.skew_s * 1000)))
        if told is None:
            self._epoch = self._beaten_at = None
            log.warning("taken for dead: calls that only ring are ended, then we join anew", worker=self._joining.name)
            self._crew.given_up()
            return
        self._beaten_at = monotonic
        self._clock.learn(monotonic, told.at, self._monotonic())
        self._watch_clock(began, told.at)
        if told.drain != self._drains:
            self._drains = told.drain
            log.info("ordered to drain" if told.drain else "ordered to take calls again", worker=self._joining.name)
            self._crew.drain(told.drain)

    def _watch_clock(self, began: dt.datetime, at: dt.datetime) -> None:
        self.skew_s = skew_s(began, at, self._clock.own.now())
        wrong = abs(self.skew_s) > SKEW_WARNS_S
        if wrong and not self._warned:
            log.warning("this machine's clock is wrong: see to its time service", seconds_ahead=round(self.skew_s, 1))
        self._warned = wrong
