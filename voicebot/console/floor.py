"""LiveFloor: agents, queue and alerts of this moment, kept current for all open pages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import structlog

from voicebot.console.queries import ConsoleData
from voicebot.domain.desk import AgentFigures
from voicebot.domain.records import AgentRecord, Alert, WaitingCall

log = structlog.get_logger(__name__)
FAST_S = 0.5
SLOW_S = 5.0
WATCHED_FOR_S = 4.0
FIGURES_S = 10.0


class LiveFloor:
    """One per console. `version` grows with every change. While nobody watches, it is read rarely."""

    def __init__(self, data: ConsoleData) -> None:
        self._data = data
        self._watched = float("-inf")
        self._counted = float("-inf")
        self._woken = asyncio.Event()
        self.agents: Mapping[str, AgentRecord] = {}
        self.queue: tuple[WaitingCall, ...] = ()
        self.alerts: tuple[Alert, ...] = ()
        self.figures: Mapping[str, AgentFigures] = {}
        self.version = 0

    def watch(self) -> None:
        """A page is looking; call at least every few seconds."""
        if time.monotonic() - self._watched > WATCHED_FOR_S:
            self._woken.set()
        self._watched = time.monotonic()

    async def refresh(self) -> None:
        """Read afresh; `version` tells whether anything changed."""
        floor = self._data.floor
        agents = {agent.id: agent for agent in await floor.agents()}
        queue, alerts = tuple(await floor.queue()), tuple(await floor.alerts())
        if time.monotonic() - self._counted > FIGURES_S:
            self._counted = time.monotonic()
            figures = await floor.figures()
        else:
            figures = self.figures
        if (agents, queue, alerts, figures) != (self.agents, self.queue, self.alerts, self.figures):
            self.agents, self.queue, self.alerts, self.figures = agents, queue, alerts, figures
            self.version += 1

    async def run(self) -> None:
        """Follow until cancelled; a lost database is logged and tried again."""
        while True:
            try:
                await self.refresh()
            except Exception as lost:
                log.warning("the floor can't be read, trying again", reason=str(lost))
            watched = time.monotonic() - self._watched < WATCHED_FOR_S
            try:
                await asyncio.wait_for(self._woken.wait(), FAST_S if watched else SLOW_S)
            except TimeoutError:
                continue
            self._woken.clear()
