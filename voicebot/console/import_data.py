"""ImportDesk: a case file on its way in: handed in, looked at, mapped, read in the background, mended."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from voicebot.cases.columns import check_mapping, meaning_of, recognise, shape_of
from voicebot.cases.importer import ImportReport, Wish, context_for, import_table, read_case_table
from voicebot.cases.mending import Mendable, mendable, mended, rejects_csv
from voicebot.cases.preview import Preview, preview
from voicebot.cases.tables import Table, parse_table
from voicebot.domain.clock import SHANGHAI, Clock
from voicebot.store import Store
from voicebot.store.imports import ImportRecord, ImportState

log = structlog.get_logger(__name__)
BEAT_S = 0.5
KEPT_ROWS = 500
"""Rejected and duplicate rows that are kept with the report; the file of rejects holds them all."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A file that waits to be read: how it would be. `remembered`: somebody corrected a file of this shape before."""

    record: ImportRecord
    preview: Preview
    remembered: bool


class ImportDesk:
    """ValueError, readable, for files and mappings that can't be used; LookupError for imports that do not exist."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._tables: dict[str, Table] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def upload(self, name: str, content: bytes, by: str, creditor: str = "") -> ImportRecord:
        """Keep a file that can be read; what is remembered of its shape is applied."""
        table = await asyncio.to_thread(read_case_table, content)
        mapping = await self._store.imports.remembered(creditor, shape_of(table.header.cells)) or {}
        now = self._clock.now()
        record = ImportRecord(
            id=f"{now.astimezone(SHANGHAI):%m%d-%H%M}-{secrets.token_hex(3)}",
            name=name[:200],
            sha256=hashlib.sha256(content).hexdigest(),
            creditor=creditor,
            mapping=mapping,
            state=ImportState.UPLOADED,
            uploaded_by=by,
            uploaded_at=now,
        )
        await self._store.imports.add(record, content)
        self._keep(record.id, table)
        return record

    async def take(self, name: str, content: bytes, by: str) -> ImportReport:
        """Import a file at once, as what is remembered of its shape says."""
        table = await asyncio.to_thread(read_case_table, content)
        mapping = await self._store.imports.remembered("", shape_of(table.header.cells)) or {}
        report = await import_table(table, self._store, self._clock, wish=Wish(mapping, "", by, name[:200]))
        log.info("cases imported", by_pii=by, imported=report.imported, rejected=len(report.rejected))
        return report

    async def find(self, import_id: str) -> ImportRecord:
        record = await self._store.imports.find(import_id)
        if record is None:
            raise LookupError(f"there is no import {import_id}")
        return record

    async def latest(self) -> Sequence[ImportRecord]:
        return await self._store.imports.latest()

    async def look(self, import_id: str) -> Looked:
        """How the file would be read now. ValueError when its rows are in already."""
        record = await self.find(import_id)
        table = await self._table(record)
        places = recognise(table.header.cells, dict(record.mapping))
        context = await context_for(self._store, self._clock.now(), places, record.creditor)
        looked = await asyncio.to_thread(preview, table, dict(record.mapping), context)
        known = await self._store.imports.remembered(record.creditor, shape_of(table.header.cells))
        return Looked(record, looked, bool(known) and known == dict(record.mapping))

    async def plan(self, import_id: str, mapping: Mapping[str, str], creditor: str) -> None:
        """Say what the headings mean and whose the cases are where no column tells."""
        check_mapping(dict(mapping))
        if len(creditor) > 64:
            raise ValueError("债权人名称超过64个字。")
        if not await self._store.imports.plan(import_id, mapping, creditor.strip()):
            raise ValueError("这个文件已经开始导入，不能再改。")

    async def run(self, import_id: str, by: str) -> None:
        """Begin to read a file in; `find` tells how far it is. ValueError when it is read or was read."""
        record = await self.find(import_id)
        table = await self._table(record)
        if not await self._store.imports.begin(import_id, self._clock.now()):
            raise ValueError("这个文件正在导入，或已经导入。")
        shape = shape_of(table.header.cells)
        if any(meaning_of(heading) != meaning for heading, meaning in record.mapping.items()):
            await self._store.imports.remember(record.creditor, shape, record.mapping, self._clock.now())
        task = asyncio.create_task(self._read(record, table, by))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def rejects(self, import_id: str) -> bytes | None:
        """The rejected rows as a CSV with reasons; None when there are none."""
        await self.find(import_id)
        return await self._store.imports.rejects(import_id)

    async def to_mend(self, record: ImportRecord, most: int = 100) -> list[Mendable]:
        """The first rejected rows with the cells that are wrong in them."""
        rejects = await self._store.imports.rejects(record.id)
        if rejects is None:
            return []
        return mendable(await asyncio.to_thread(parse_table, rejects), dict(record.mapping), most)

    async def mend(self, import_id: str, changes: Mapping[int, Mapping[str, str]], by: str) -> ImportRecord:
        """Put cells of rejected rows right and hand these rows in again; the others stay rejected.

        `changes`: the row's place among the rejects -> heading -> new text.
        """
        record = await self.find(import_id)
        rejects = await self._store.imports.rejects(import_id)
        if rejects is None or not changes:
            raise ValueError("没有可以修正的行。")
        touched, rest = mended(parse_table(rejects), changes)
        again = await self.upload(f"{record.name}（修正）"[:200], touched, by, record.creditor)
        await self._store.imports.plan(again.id, record.mapping, record.creditor)
        await self._store.imports.keep_rejects(import_id, rest)
        await self.run(again.id, by)
        return again

    async def _read(self, record: ImportRecord, table: Table, by: str) -> None:
        told = {"done": 0, "total": len(table.rows), "at": 0.0}
        beats: set[asyncio.Task[None]] = set()

        def progress(done: int, total: int) -> None:
            if time.monotonic() - told["at"] >= BEAT_S:
                told["at"] = time.monotonic()
                beat = asyncio.create_task(self._store.imports.beat(record.id, done, total, self._clock.now()))
                beats.add(beat)
                beat.add_done_callback(beats.discard)

        try:
            wish = Wish(dict(record.mapping), record.creditor, by, record.id)
            report = await import_table(table, self._store, self._clock, progress, wish)
            await asyncio.gather(*beats, return_exceptions=True)
            rejects = await asyncio.to_thread(rejects_csv, table, report.rejected) if report.rejected else None
            await self._store.imports.finish(record.id, _short(report), rejects, self._clock.now())
            log.info("cases imported", by_pii=by, imported=report.imported, rejected=len(report.rejected))
        except Exception as error:  # a background task: what failed must be told on the page
            log.exception("an import failed", imported=record.id)
            with contextlib.suppress(Exception):
                await self._store.imports.fail(record.id, str(error)[:500], self._clock.now())
        finally:
            self._tables.pop(record.id, None)

    async def _table(self, record: ImportRecord) -> Table:
        table = self._tables.get(record.id)
        if table is None:
            content = await self._store.imports.content(record.id)
            if content is None:
                raise ValueError("这个文件已经导入，内容不再保留。")
            table = await asyncio.to_thread(read_case_table, content)
            self._keep(record.id, table)
        return table

    def _keep(self, import_id: str, table: Table) -> None:
        """The last few tables stay read; a preview asks for them again and again."""
        self._tables[import_id] = table
        while len(self._tables) > 3:
            self._tables.pop(next(iter(self._tables)))


def _short(report: ImportReport) -> dict[str, object]:
    """A report for keeping: of a hundred thousand rejected rows the first ones, and how many there are."""
    kept = replace(report, rejected=report.rejected[:KEPT_ROWS], duplicate_rows=report.duplicate_rows[:KEPT_ROWS])
    return {**kept.to_json(), "duplicates": report.duplicates, "rejected_count": len(report.rejected)}
