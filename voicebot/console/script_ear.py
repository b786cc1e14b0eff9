"""Script ear: the understanding that calls have, for conversations on the designer's page; loaded when first needed."""

from __future__ import annotations

import asyncio
import datetime as dt
from functools import lru_cache

from voicebot.domain.understanding import Topic, Understanding
from voicebot.intent.understander import Understander


class Ear:
    """One for all pages. `understand` only after `ready`."""

    def __init__(self) -> None:
        self._loading = asyncio.Lock()
        self._understander: Understander | None = None
        self.understand = lru_cache(4000)(self._understand)

    async def ready(self) -> None:
        """Load the model, some seconds the first time. voicebot.intent's ModelError when it is not there."""
        async with self._loading:
            if self._understander is None:
                self._understander = await asyncio.to_thread(Understander)

    def _understand(self, text: str, topic: Topic, now: dt.datetime) -> Understanding:
        if self._understander is None:
            raise RuntimeError("await ready() first")
        return self._understander.understand(text, topic, now)
