"""Finders: where the next person for a call comes from: the queue, the supervisors, or one who was named."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Protocol

import structlog

from voicebot.domain.records import AlertKind
from voicebot.handoff.desk import Desk, Place, Seat, Wanted
from voicebot.handoff.states import Event

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0
"""A waiting call looks so often even when nothing woke it: somebody's patience may be over."""


class Finder(Protocol):
    async def next(self, tried: Collection[str]) -> Seat | Event:
        """Somebody reserved for the call; NOBODY or WAITED_OUT when there is none."""
        ...


class QueueFinder:
    """Waits in the queue at most `wait_s`, all visits together. `on_place` hears how many are served before."""

    def __init__(self, desk: Desk, wanted: Wanted, wait_s: float, on_place: Callable[[int], None]) -> None:
        self._desk = desk
        self._wanted = wanted
        self._wait_s = wait_s
        self._on_place = on_place
        self._deadline: float | None = None

    async def next(self, tried: Collection[str]) -> Seat | Event:
        loop = asyncio.get_running_loop()
        if self._deadline is None:
            self._deadline = loop.time() + self._wait_s
        try:
            await self._desk.wait(self._wanted)
            found = await self._look(tried, self._deadline)
        except asyncio.CancelledError:
            await asyncio.shield(self._leave())
            raise
        except Exception:  # the callee must not wait in vain
            log.exception("the desk can't be asked for an agent", call_id=self._wanted.call_id)
            return Event.NOBODY
        if not isinstance(found, Seat):
            await self._leave()
        return found

    async def _look(self, tried: Collection[str], deadline: float) -> Seat | Event:
        loop = asyncio.get_running_loop()
        while True:
            found = await self._desk.claim(self._wanted, tried)
            if isinstance(found, Seat):
                return found
            if found.hopeless:
                return Event.NOBODY
            if loop.time() >= deadline:
                await self._waited_long()
                return Event.WAITED_OUT
            self._tell(found)
            await self._desk.news(min(LOOK_EVERY_S, max(0.02, deadline - loop.time())))

    def _tell(self, place: Place) -> None:
        self._on_place(place.before)

    async def _waited_long(self) -> None:
        text = f"等候人工超过 {self._wait_s:.0f} 秒"
        await self._desk.alert(AlertKind.WAITING_LONG, text, self._wanted.call_id)

    async def _leave(self) -> None:
        try:
            await self._desk.leave(self._wanted.call_id)
        except Exception:
            log.exception("a call can't leave the queue; it is forgotten there in seconds")


class SupervisorFinder:
    """Any supervisor who is in no call."""

    def __init__(self, desk: Desk, call_id: str) -> None:
        self._desk = desk
        self._call_id = call_id

    async def next(self, tried: Collection[str]) -> Seat | Event:
        try:
            return await self._desk.claim_supervisor(self._call_id, tried) or Event.NOBODY
        except Exception:
            log.exception("the desk can't be asked for a supervisor", call_id=self._call_id)
            return Event.NOBODY


class NamedFinder:
    """The one person who was named."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    async def next(self, tried: Collection[str]) -> Seat | Event:
        return Event.NOBODY if self._seat.id in tried else self._seat
