"""Protection: what lies in the object store is locked there as long as retention and legal holds want it kept."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping

import structlog

from voicebot.domain.clock import Clock
from voicebot.evidence.depot.objects import ObjectStore, StoreTrouble
from voicebot.evidence.retention import keep_until, shipped_terms
from voicebot.store.database import is_away
from voicebot.store.store import Store
from voicebot.store.uploads import Placed

log = structlog.get_logger(__name__)

ROUND_S = 30.0
TERMS_EVERY = dt.timedelta(hours=24)
LITTLE = dt.timedelta(days=1)
"""A lock is not moved for less."""


class Protection:
    """One process does this: the control that leads."""

    def __init__(
        self, store: Store, objects: ObjectStore, clock: Clock, terms: Mapping[str, int] | None = None
    ) -> None:
        self._store, self._objects, self._clock, self._terms = store, objects, clock, terms or shipped_terms()
        self._moved: dt.datetime | None = None

    async def run(self) -> None:
        """Rounds until cancelled: holds at once, terms once a day."""
        while True:
            try:
                await self.holds()
                if self._moved is None or self._clock.now() - self._moved >= TERMS_EVERY:
                    self._moved = self._clock.now()
                    await self.terms()
            except Exception as error:
                if not is_away(error):
                    log.exception("objects could not be protected, it is tried again")
            await asyncio.sleep(ROUND_S)

    async def holds(self) -> int:
        """Put on and lift holds of objects as those of their cases are; how many were changed."""
        changed = 0
        for placed, wanted in await self._store.uploads.wrongly_held():
            try:
                await asyncio.to_thread(self._objects.hold, placed.key, placed.version, wanted)
            except StoreTrouble as error:
                log.error("a legal hold does not reach the object store", call_id=placed.call_id, error=str(error))
                continue
            await self._store.uploads.protected(placed.call_id, held=wanted)
            changed += 1
        return changed

    async def terms(self) -> int:
        """Move locks to the end of the terms as they are known now; never to an earlier day; how many were moved."""
        moved, after = 0, None
        while rows := await self._store.papers.kept(self._clock.now(), after=after):
            placed = await self._store.uploads.placed_among([kept.call_id for kept in rows])
            for kept in rows:
                until = keep_until(kept, self._terms.get(kept.jurisdiction or "", self._terms["default"]))
                if until is not None and kept.call_id in placed:
                    moved += await self._move(placed[kept.call_id], until)
            after = rows[-1].ended_at, rows[-1].call_id
        return moved

    async def _move(self, placed: Placed, until: dt.datetime) -> int:
        if until <= self._clock.now() or (placed.keep_until is not None and until - placed.keep_until < LITTLE):
            return 0
        try:
            await asyncio.to_thread(self._objects.keep, placed.key, placed.version, until)
        except StoreTrouble as error:
            log.error("a term does not reach the object store", call_id=placed.call_id, error=str(error))
            return 0
        await self._store.uploads.protected(placed.call_id, keep_until=until)
        return 1
