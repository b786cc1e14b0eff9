"""What is published in the database becomes files that calls load, at once and on every machine."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from pathlib import Path

from voicebot.call.shelf import ON_AIR, Shelf
from voicebot.domain.script_version import SHIPPED
from voicebot.store import Store
from voicebot.worker.frozen import keep_frozen

NOW = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)


async def eventually(folder: Path, number: int) -> None:
    async with asyncio.timeout(60):
        while True:
            table = json.loads((folder / ON_AIR).read_text()) if (folder / ON_AIR).is_file() else None
            if table and table["s"][0]["number"] == number:
                return
            await asyncio.sleep(0.02)


async def test_published_versions_become_files(store: Store, tmp_path: Path) -> None:
    versions = store.script_versions
    await versions.ship("s", "one", "one", NOW, SHIPPED)
    keeper = asyncio.create_task(keep_frozen(store, tmp_path))
    try:
        await eventually(tmp_path, 1)
        await versions.save_draft("s", "two", "writer", NOW)
        await versions.review("s", 2, "reader", NOW)
        await versions.publish("s", 2, "boss", NOW, "two, whole")
        await eventually(tmp_path, 2)
    finally:
        keeper.cancel()
    shelf = Shelf(tmp_path, tmp_path)
    assert shelf.pick("s", "C1") == "s@2"
    assert shelf.path("s@2").read_text() == "two, whole" and shelf.path("s@1").read_text() == "one"
    assert shelf.sha256("s@2") == (await versions.get("s", 2)).sha256
