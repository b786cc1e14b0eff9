"""Import: a case file into the database. Every row is accounted for; a bad one never blocks the others."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from voicebot.cases.columns import Column, Mapping, Places, missing, recognise, with_heading
from voicebot.cases.parsing import DEFAULT_CREDITOR, NEUTRAL, Context, known_creditor
from voicebot.cases.rows import Problem
from voicebot.cases.sieve import Good, Sieve
from voicebot.cases.tables import Table, parse_table, read_bytes
from voicebot.domain.clock import SHANGHAI, Clock, SystemClock
from voicebot.store import Store
from voicebot.store.cases import Saved

BATCH = 500
Progress = Callable[[int, int], None]
"""Told how many rows of how many are done."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that was not taken; `row` as the spreadsheet counts, `more` what else is wrong with it."""

    row: int
    column: str
    value: str
    reason: str
    more: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A row that says what we know already: from row `of` of the same file, or (None) from the database."""

    row: int
    case_id: str
    of: int | None


@dataclass(slots=True)
class ImportReport:
    """imported + updated + duplicates + len(rejected) is the number of rows that hold anything."""

    imported: int = 0
    updated: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    duplicate_rows: list[Duplicate] = field(default_factory=list)
    ignored_columns: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    closed: int = 0

    @property
    def duplicates(self) -> int:
        return len(self.duplicate_rows)

    def to_json(self) -> dict[str, object]:
        """As `voicebot cases import --json` prints it."""
        return {
            "imported": self.imported,
            "updated": self.updated,
            "duplicates": self.duplicates,
            "rejected": [asdict(rejection) for rejection in self.rejected],
            "duplicate_rows": [asdict(duplicate) for duplicate in self.duplicate_rows],
            "ignored_columns": self.ignored_columns,
            "warnings": self.all_warnings(),
        }

    def all_warnings(self) -> list[str]:
        """With what is only known at the end."""
        if not self.closed:
            return self.warnings
        told = f"{self.closed} 个案件在本系统中已结案，保持结案、不会拨打。若确需重新处理，请在案件页重新打开。"
        return [*self.warnings, told]


CHUNK = 1000
"""Rows that are parsed at a time; a console answers between two."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How a file is to be read, and who says so. `creditor`: whose the cases are where no column tells.

    `source`: the id of the import, kept in the history of each case.
    """

    mapping: Mapping = field(default_factory=dict)
    creditor: str = ""
    by: str = ""
    source: str = ""


async def import_cases(
    path: Path,
    store: Store,
    *,
    clock: Clock | None = None,
    progress: Progress = lambda done, total: None,
    wish: Wish | None = None,
) -> ImportReport:
    """Read a CSV or XLSX file into the store. Raises TableError when the file as a whole cannot be read."""
    table = await asyncio.to_thread(read_case_table, await asyncio.to_thread(read_bytes, path))
    return await import_table(table, store, clock, progress, wish)


def read_case_table(data: bytes) -> Table:
    """A case file's heading and rows. Raises TableError."""
    table, above = with_heading(parse_table(data))
    if not above:
        return table
    note = f"表头在第{table.header.number}行，它上面的{len(above)}行没有读。"
    return replace(table, notes=(*table.notes, note))


async def import_table(
    table: Table,
    store: Store,
    clock: Clock | None = None,
    progress: Progress = lambda done, total: None,
    wish: Wish | None = None,
) -> ImportReport:
    """As import_cases, from a table that was read before."""
    now = (clock or SystemClock()).now()
    wish = wish or Wish()
    report = ImportReport(warnings=list(table.notes))
    places = recognise(table.header.cells, wish.mapping)
    report.ignored_columns = list(places.ignored)
    if lacking := missing(places):
        names = "、".join(column.value for column in lacking)
        reason = f"缺少必需的列：{names}。请在第一行补上列名。"
        _reject_all(report, table, names, reason)
        return report
    context = await context_for(store, now, places, wish.creditor)
    _warn_nameless(places, context, report)
    good = await _sift(table, places, context, report)
    for start in range(0, len(good), BATCH):
        await _save(good[start : start + BATCH], store, now, report, wish)
        progress(min(start + BATCH, len(good)), len(good))
    report.rejected.sort(key=lambda rejection: rejection.row)
    report.duplicate_rows.sort(key=lambda duplicate: duplicate.row)
    return report


def _reject_all(report: ImportReport, table: Table, column: str, reason: str) -> None:
    report.rejected += [Rejection(row.number, column, "", reason) for row in table.rows or (table.header,)]


async def context_for(store: Store, now: dt.datetime, places: Places, creditor: str = "") -> Context:
    """The creditors we know; a file that names none belongs to `creditor`, else to the only one there is."""
    known = await store.cases.creditors()
    by_name = {each.name: each for each in known}
    default = known[0] if len(known) == 1 else DEFAULT_CREDITOR
    if creditor:
        default = known_creditor(creditor, by_name)
    return Context(now.astimezone(SHANGHAI).date(), by_name, default)


def _warn_nameless(places: Places, context: Context, report: ImportReport) -> None:
    if Column.CREDITOR not in places and context.default_creditor is DEFAULT_CREDITOR:
        report.warnings.append("文件没有“债权人”列：开场白只会自称“客户服务中心”。建议补上债权人和机构对外名称。")


async def _sift(table: Table, places: Places, context: Context, report: ImportReport) -> list[Good]:
    """The rows to save, each case once; the rest goes into the report."""
    sieve = Sieve(places, context)
    for start in range(0, len(table.rows), CHUNK):
        await asyncio.to_thread(sieve.take, table.rows[start : start + CHUNK])
    report.rejected += [Rejection(row, p.column, p.value, p.reason, more) for row, p, more in sieve.rejected]
    report.duplicate_rows += [Duplicate(*duplicate) for duplicate in sieve.duplicates]
    _warn_unverifiable(sieve.good, report)
    _warn_telltale(sieve.good, report)
    report.warnings += [
        f"第{row}行“{remark.column}”没有采用（{remark.value[:40]}）：{remark.reason}"
        for row, remark in sieve.remarks[:50]
    ]
    if len(sieve.remarks) > 50:
        report.warnings.append(f"另有{len(sieve.remarks) - 50}个单元格没有采用，案件照常导入。")
    if sieve.same_people:
        report.warnings.append(f"{sieve.same_people} 行的客户号不同，但姓名和号码相同：按同一客户处理。")
    return sieve.good


def _warn_unverifiable(good: list[Good], report: ImportReport) -> None:
    rows = [
        str(g.rows[0]) for g in good if g.new.case.debtor.id_last4 is None and g.new.case.debtor.birth_mmdd is None
    ]
    if rows:
        shown = "、".join(rows[:20]) + ("等" if len(rows) > 20 else "")
        report.warnings.append(f"第{shown}行没有身份证后四位和出生月日：无法核身，通话中不会提到欠款。")


def _warn_telltale(good: list[Good], report: ImportReport) -> None:
    creditors = {g.new.case.creditor for g in good}
    for name in sorted(c.name for c in creditors if c.neutral_name == NEUTRAL and c.name != NEUTRAL):
        report.warnings.append(f"“{name}”会泄露欠款，核身前只自称“{NEUTRAL}”。可在“机构对外名称”列填写中性名称。")


async def _save(batch: Sequence[Good], store: Store, now: dt.datetime, report: ImportReport, wish: Wish) -> None:
    results = await store.cases.save([good.new for good in batch], now, wish.by, wish.source)
    known = []
    for good, result in zip(batch, results, strict=True):
        match result:
            case Saved.NEW:
                report.imported += len(good.rows)
            case Saved.CHANGED:
                report.updated += len(good.rows)
                known.append(good.new.case.id)
            case Saved.SAME:
                report.duplicate_rows += [Duplicate(row, good.new.case.id, None) for row in good.rows]
                known.append(good.new.case.id)
    report.closed += len(await store.cases.closed_among(known)) if known else 0
