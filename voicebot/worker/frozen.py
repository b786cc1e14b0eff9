"""Frozen: the published call scripts of the database, kept as files that line and brain of this machine read."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from voicebot.call.shelf import freeze
from voicebot.store.database import SCRIPTS, is_away
from voicebot.store.store import Store

log = structlog.get_logger(__name__)
_AGAIN_S = 2.0


async def keep_frozen(store: Store, folder: Path) -> None:
    """Write what is on the air now and after each change of it, until cancelled."""
    async for _ in store.listen(SCRIPTS):
        await _freeze(store, folder)


async def _freeze(store: Store, folder: Path) -> None:
    """What was frozen before stays on the air as long as database or disk do not let us."""
    while True:
        try:
            await asyncio.to_thread(freeze, folder, await store.script_versions.on_air())
            return
        except Exception as error:
            if not is_away(error):
                raise
            log.error("published call scripts can't be written: old ones stay", folder=str(folder), error=str(error))
        await asyncio.sleep(_AGAIN_S)
