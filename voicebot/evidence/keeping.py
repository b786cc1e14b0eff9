"""Keeping: the rounds of the evidence beside the calls: witnesses, the operation log's anchors, retention."""

from __future__ import annotations

import asyncio
import datetime as dt

import structlog

from voicebot.config import Settings
from voicebot.domain.clock import Clock
from voicebot.evidence.depot.locating import open_objects
from voicebot.evidence.operation_check import anchor_operations
from voicebot.evidence.retention import delete_expired
from voicebot.evidence.signer import Signer
from voicebot.evidence.witness import TimeStampAuthority, Witnessing, load_witness
from voicebot.store.store import Store

log = structlog.get_logger(__name__)
RETENTION_EVERY = dt.timedelta(hours=24)


async def keep_evidence(store: Store, settings: Settings, clock: Clock) -> None:
    """Rounds for ever: anchor what was done, have the log witnessed, delete what is over once a day."""
    signer = await asyncio.to_thread(Signer.load_or_create, settings.keys)
    authorities = [TimeStampAuthority(url, settings.timestamp_roots) for url in settings.timestamp_urls]
    others = [load_witness(where) for where in settings.witnesses]
    witnessing = Witnessing(signer, [*authorities, *others], clock)
    cleaned: dt.datetime | None = None
    while True:
        try:
            await asyncio.to_thread(anchor_operations, signer, *await store.operations.head())
            await witnessing.round()
            if cleaned is None or clock.now() - cleaned >= RETENTION_EVERY:
                cleaned = clock.now()
                gone = await delete_expired(store, settings.recordings, clock, objects=open_objects(settings))
                if gone:
                    log.info("recordings were deleted, their terms being over", count=gone)
                if forgotten := await store.imports.forget_rows(clock.now()):
                    log.info("rows of imported files were forgotten, their time being over", files=forgotten)
        except Exception:  # the database or the disk is away for a while
            log.exception("a round of the evidence failed, it is tried again")
        await asyncio.sleep(settings.timestamp_every_s)
