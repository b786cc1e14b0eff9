"""DiallingBoard: the view of all that is dialled, kept current once for every open page."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from typing import Protocol

import structlog

from voicebot.console.dialling_data import DiallingData, DiallingView

log = structlog.get_logger(__name__)


class HasDialling(Protocol):
    @property
    def dialling(self) -> DiallingData: ...


class DiallingBoard:
    """One per console. `version` grows with every change, so pages redraw only when something happened."""

    def __init__(self, data: HasDialling, every_s: float = 1.0, retry_s: float = 3.0) -> None:
        self._data, self._every_s, self._retry_s = data, every_s, retry_s
        self._woken = asyncio.Event()
        self._watched_until = 0.0
        self.view = DiallingView(dt.datetime.min.replace(tzinfo=dt.UTC))
        self.version = 0

    def watch(self) -> None:
        """Somebody looks; nothing is read while nobody does."""
        self._watched_until = asyncio.get_running_loop().time() + 10.0
        if self.version == 0:
            self._woken.set()

    async def run(self) -> None:
        """Follow until cancelled; a lost database is logged and tried again."""
        while True:
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._read())
                    tasks.create_task(self._hear())
            except* Exception as lost:
                log.warning("the board of dialling lost its data, trying again", reason=str(lost.exceptions[0]))
            await asyncio.sleep(self._retry_s)

    async def refresh(self) -> None:
        """Read once; the moment alone is no change."""
        view = await self._data.dialling.view()
        if replace(view, at=self.view.at) != self.view:
            self.view = view
            self.version += 1

    async def _read(self) -> None:
        while True:
            if asyncio.get_running_loop().time() < self._watched_until:
                await self.refresh()
            self._woken.clear()
            try:
                await asyncio.wait_for(self._woken.wait(), self._every_s)
            except TimeoutError:
                continue

    async def _hear(self) -> None:
        async for _ in self._data.dialling.changes():
            self._woken.set()
