"""StoreBook: what is written of a call while it runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.voicebot.store.samples import NOON
from voicebot.domain.case import CallFacts
from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import Fact, FactKind
from voicebot.store import Store
from voicebot.worker.book import StoreBook


async def test_the_row_of_a_call_names_the_script_it_followed(store: Store, tmp_path: Path) -> None:
    book = StoreBook(store, "w1", tmp_path, FixedClock(NOON))
    writer = asyncio.create_task(book.run())
    book.opened(CallFacts("c1", NOON, None, number="+8613800000001", direction="inbound"), "inbound", None)
    book.fact("c1", Fact(0, NOON.isoformat(), 0, FactKind.STARTED, {"script": "inbound", "script_sha256": "ab" * 32}))
    await asyncio.wait_for(book.drain(), 5)
    writer.cancel()
    record = await store.calls.find("c1")
    assert record is not None and (record.script, record.script_sha256) == ("inbound", "ab" * 32)
    assert record.running and record.worker == "w1"
