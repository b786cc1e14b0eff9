"""Sweeping: what retention deleted while it lay on the disk of another machine is deleted there too."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import structlog

from voicebot.domain.clock import Clock
from voicebot.evidence.retention import erase_here
from voicebot.store.database import is_away
from voicebot.store.store import Store

log = structlog.get_logger(__name__)

EVERY_S = 600.0


async def sweep(store: Store, recordings: Path, workers: Sequence[str], clock: Clock) -> int:
    """Delete recordings of these workers whose terms are over; how many are gone now."""
    gone, now = 0, clock.now()
    for call_id, bundle in await store.uploads.to_sweep(workers):
        try:
            await asyncio.to_thread(erase_here, recordings, bundle, now)
        except OSError as error:
            log.error("a recording can't be deleted, see to its folder", call_id=call_id, error=str(error))
            continue
        await store.uploads.removed_here(call_id, now)
        gone += 1
    return gone


async def keep_swept(store: Store, recordings: Path, workers: Sequence[str], clock: Clock) -> None:
    """Sweep now and then, until cancelled."""
    while True:
        try:
            await sweep(store, recordings, workers, clock)
        except Exception as error:
            if not is_away(error):
                log.exception("recordings could not be swept, it is tried again")
        await asyncio.sleep(EVERY_S)
