"""CallLook: the rows of calls that many wait for, asked for one by one and read together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from voicebot.domain.records import CallRecord
from voicebot.store import Store
from voicebot.store.database import is_away

GATHER_S = 0.1
"""Questions that come within this time are one question to the database."""
RETRY_S = 1.0


class CallLook:
    """Forty calls that are each looked at once a second cost ten looks a second, and four hundred cost no more."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._wanted: set[str] = set()
        self._reading: asyncio.Task[Mapping[str, CallRecord]] | None = None

    async def find(self, call_id: str) -> CallRecord | None:
        """As `Calls.find`, of a moment after the question; a database that is away is waited for."""
        while True:
            self._wanted.add(call_id)
            if self._reading is None:
                self._reading = asyncio.create_task(self._read())
            try:
                return (await asyncio.shield(self._reading)).get(call_id)
            except Exception as error:
                if not is_away(error):
                    raise
            await asyncio.sleep(RETRY_S)

    async def _read(self) -> Mapping[str, CallRecord]:
        await asyncio.sleep(GATHER_S)
        wanted, self._wanted, self._reading = self._wanted, set(), None
        return await self._store.calls.find_all(wanted)
