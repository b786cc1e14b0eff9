"""The events of one leg: every reader sees all of them from the first, whenever it begins to read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from voicebot.telephony.leg import Ended, LegEvent


class EventLog:
    """Events in order; after `Ended` nothing more is taken."""

    def __init__(self) -> None:
        self._events: list[LegEvent] = []
        self._news = asyncio.Event()

    @property
    def ended(self) -> Ended | None:
        last = self._events[-1] if self._events else None
        return last if isinstance(last, Ended) else None

    def tell(self, event: LegEvent) -> None:
        if self.ended is None:
            self._events.append(event)
            self._news.set()
            self._news = asyncio.Event()

    async def read(self) -> AsyncIterator[LegEvent]:
        """Ends after `Ended`."""
        position = 0
        while True:
            while position < len(self._events):
                event = self._events[position]
                position += 1
                yield event
                if isinstance(event, Ended):
                    return
            await self._news.wait()
