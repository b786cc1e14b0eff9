"""LiveBoard: the stories of all running calls, kept current from new facts and read by every open page."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from voicebot.console.queries import CallRow, ConsoleData
from voicebot.console.story import CallStory, advance, tell
from voicebot.domain.journal import Fact, FactKind

log = structlog.get_logger(__name__)


class LiveBoard:
    """One per console. `version` grows with every change, so a page redraws only when something happened."""

    def __init__(self, data: ConsoleData, poll_s: float = 2.0, retry_s: float = 3.0) -> None:
        self._data = data
        self._poll_s = poll_s
        self._retry_s = retry_s
        self._rows: dict[str, CallRow] = {}
        self._stories: dict[str, CallStory] = {}
        self.version = 0

    @property
    def calls(self) -> tuple[CallRow, ...]:
        """The running calls, newest first."""
        return tuple(sorted(self._rows.values(), key=lambda row: row.started_at, reverse=True))

    @property
    def stories(self) -> Mapping[str, CallStory]:
        return self._stories

    def story(self, call_id: str) -> CallStory:
        return self._stories.get(call_id, CallStory())

    async def run(self) -> None:
        """Follow the calls until cancelled; a lost database is logged and tried again."""
        while True:
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._poll())
                    tasks.create_task(self._follow())
            except* Exception as lost:
                log.warning("live view lost its data, trying again", reason=str(lost.exceptions[0]))
            await asyncio.sleep(self._retry_s)

    async def refresh(self) -> None:
        """Read which calls run now; stories of new ones are read from the start, those of ended ones dropped."""
        rows = {row.call_id: row for row in await self._data.running_calls()}
        for call_id in rows.keys() - self._stories.keys():
            self._stories[call_id] = tell(await self._data.facts(call_id))
        for call_id in self._stories.keys() - rows.keys():
            del self._stories[call_id]
        if rows != self._rows:
            self._rows = rows
            self.version += 1

    def take(self, call_id: str, fact: Fact) -> None:
        """Add one new fact; a fact that was already read is ignored."""
        story = self._stories.get(call_id)
        # Partial hearings are no part of the journal, so their number says nothing.
        read = fact.kind is not FactKind.HEARING and fact.seq >= 0
        if story is None or (read and fact.seq <= story.seq):
            return
        self._stories[call_id] = advance(story, fact)
        self.version += 1

    async def _poll(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(self._poll_s)

    async def _follow(self) -> None:
        async for news in self._data.live_facts():
            if news is None:
                self._stories.clear()
                await self.refresh()
                continue
            call_id, fact = news
            if call_id not in self._stories:
                await self.refresh()
            self.take(call_id, fact)
