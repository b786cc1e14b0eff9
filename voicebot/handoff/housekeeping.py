"""Desk housekeeping: who has finished writing is ready again, and nobody waits whose line is gone."""

from __future__ import annotations

import asyncio

import structlog

from voicebot.domain.clock import Clock
from voicebot.store.store import Store

log = structlog.get_logger(__name__)

EVERY_S = 1.0


async def keep_desk(store: Store, clock: Clock) -> None:
    """Keep the desk in order until cancelled; a database that is away is waited out."""
    while True:
        try:
            await store.agents.end_wrap_up(clock.now())
            for call_id in await store.waiting.forget(clock.now()):
                log.warning("a call waited for a person and its line is gone", call_id=call_id)
        except Exception as error:
            log.warning("the desk can't be kept in order", error=repr(error))
        await asyncio.sleep(EVERY_S)
