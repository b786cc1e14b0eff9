"""The upload process: one per machine with an object store; it takes sealed calls there, beside the lines."""

from __future__ import annotations

import asyncio
import datetime as dt
import sys

import structlog

from voicebot.config import Settings
from voicebot.evidence.depot.locating import open_objects
from voicebot.evidence.depot.objects import StoreTrouble
from voicebot.evidence.depot.uploader import Uploader
from voicebot.store.store import Store
from voicebot.worker.fleet_clock import FleetClock, keep_time
from voicebot.worker.lifeline import database_url, run_process
from voicebot.worker.names import machine_name, worker_name

log = structlog.get_logger(__name__)

LAST_ROUND_S = 60.0
"""How long a machine that is switched off may take for what is not uploaded yet."""


async def upload(settings: Settings, url: str, stop: asyncio.Event) -> None:
    """Upload until `stop`, then what the lines sealed last."""
    try:
        objects = open_objects(settings)
    except StoreTrouble as error:
        log.error("recordings can't be uploaded", error=str(error))
        objects = None
    if objects is None:
        await stop.wait()
        return
    days = settings.keep_local_days
    clock = FleetClock()
    async with Store.from_url(url, pool_size=2) as store:
        timing = asyncio.create_task(keep_time(store, clock))
        uploader = Uploader(
            store,
            objects,
            settings.recordings,
            [worker_name(index, settings.home) for index in range(settings.workers)],
            clock,
            name=f"{machine_name(settings.home)}-uploader",
            keep_local=dt.timedelta(days=days) if days is not None else None,
        )
        await uploader.run(stop)
        await uploader.last_round(LAST_ROUND_S)
        timing.cancel()


async def _main(settings: Settings, stop: asyncio.Event) -> None:
    await upload(settings, database_url(), stop)


if __name__ == "__main__":  # python -m voicebot.worker.upload_process
    sys.exit(run_process(_main))
