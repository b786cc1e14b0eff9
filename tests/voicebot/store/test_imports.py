"""Imports: rows of files are forgotten when their time is over; what became of them stays."""

from __future__ import annotations

import datetime as dt

from voicebot.domain.clock import SHANGHAI
from voicebot.store import Store
from voicebot.store.imports import REJECTS_KEPT, UNREAD_KEPT, ImportRecord, ImportState

NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
REPORT = {"imported": 3, "rejected": [{"row": 2, "column": "手机号", "value": "1380013", "reason": "x"}],
          "rejected_count": 1}  # fmt: skip
SECOND = dt.timedelta(seconds=1)


async def handed_in(store: Store, name: str) -> None:
    await store.imports.add(ImportRecord(name, f"{name}.csv", "ab", "demo", {}, ImportState.UPLOADED, "lin", NOW), b"a")


async def test_rejected_rows_are_forgotten_after_a_month(store: Store) -> None:
    await handed_in(store, "done")
    await store.imports.finish("done", REPORT, b"1380013", NOW)
    assert await store.imports.forget_rows(NOW + REJECTS_KEPT) == 0
    assert await store.imports.rejects("done") == b"1380013"
    assert await store.imports.forget_rows(NOW + REJECTS_KEPT + SECOND) == 1
    assert await store.imports.forget_rows(NOW + REJECTS_KEPT + SECOND) == 0, "once is enough"
    record = await store.imports.find("done")
    assert record is not None and not record.has_rejects
    assert dict(record.report) == {"imported": 3, "rejected_count": 1}


async def test_files_that_nobody_reads_are_forgotten_after_a_week(store: Store) -> None:
    for name in ("unread", "failed", "running"):
        await handed_in(store, name)
    await store.imports.fail("failed", "no headings", NOW)
    assert await store.imports.begin("running", NOW)
    assert await store.imports.forget_rows(NOW + UNREAD_KEPT) == 0
    assert await store.imports.forget_rows(NOW + UNREAD_KEPT + SECOND) == 2
    assert await store.imports.content("unread") is None and await store.imports.content("failed") is None
    assert await store.imports.content("running") == b"a", "a file was taken from who reads it"
    failed = await store.imports.find("failed")
    assert failed is not None and failed.why == "no headings"
