"""Ledger chain: puts the rulebook's answers into their chain as they come, and tells its end to the log."""

from __future__ import annotations

import asyncio
import datetime as dt

import structlog

from voicebot.domain.clock import SHANGHAI, Clock, SystemClock
from voicebot.store.database import is_away
from voicebot.store.store import Store
from voicebot.telemetry import metrics

log = structlog.get_logger(__name__)
EVERY_S = 5.0


async def keep_chain(store: Store, clock: Clock | None = None) -> None:
    """Chain until cancelled. Once a day the end of the chain goes to the log, where a cut tail shows."""
    clock, told = clock or SystemClock(), None
    while True:
        try:
            while done := await store.decisions.chain():
                metrics.DECISIONS.inc(done)
            told = await _tell(store, clock.now().astimezone(SHANGHAI).date(), told)
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("the permission ledger waits for the database", error=str(error))
        await asyncio.sleep(EVERY_S)


async def _tell(store: Store, today: dt.date, told: dt.date | None) -> dt.date:
    if told != today:
        position, sha256 = await store.decisions.head()
        log.info("permission ledger", length=position, head=sha256)
    return today
