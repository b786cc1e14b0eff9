"""Import: a case file into the database. Every row is accounted for; a bad one never blocks the others."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from voicebot.campaign.columns import Column, missing, recognise
from voicebot.campaign.parsing import DEFAULT_CREDITOR, NEUTRAL, Context, Problem, RowError, parse_row
from voicebot.campaign.tables import Row, Table, read_table
from voicebot.domain.clock import SHANGHAI, Clock, SystemClock
from voicebot.store import Store
from voicebot.store.cases import NewCase, Saved

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
            "warnings": self.warnings,
        }


async def import_cases(
    path: Path,
    store: Store,
    *,
    clock: Clock | None = None,
    progress: Progress = lambda done, total: None,
) -> ImportReport:
    """Read a CSV or XLSX file into the store. Raises TableError when the file as a whole cannot be read."""
    now = (clock or SystemClock()).now()
    table = await asyncio.to_thread(read_table, path)
    report = ImportReport()
    places, report.ignored_columns = recognise(table.header.cells)
    if lacking := missing(places):
        names = "、".join(column.value for column in lacking)
        reason = f"缺少必需的列：{names}。请在第一行补上列名。"
        _reject_all(report, table, names, reason)
        return report
    context = await _context(store, now, Column.CREDITOR in places, report)
    good = list(_parse(table.rows, places, context, report))
    _warn_unverifiable(good, report)
    _warn_telltale(good, report)
    for start in range(0, len(good), BATCH):
        await _save(good[start : start + BATCH], store, now, report)
        progress(min(start + BATCH, len(good)), len(good))
    report.rejected.sort(key=lambda rejection: rejection.row)
    report.duplicate_rows.sort(key=lambda duplicate: duplicate.row)
    return report


def _reject_all(report: ImportReport, table: Table, column: str, reason: str) -> None:
    report.rejected += [Rejection(row.number, column, "", reason) for row in table.rows or (table.header,)]


async def _context(store: Store, now: dt.datetime, named: bool, report: ImportReport) -> Context:
    """The creditors we know; a file that names none belongs to the only one there is."""
    known = await store.cases.creditors()
    default = known[0] if len(known) == 1 else DEFAULT_CREDITOR
    if not named and default is DEFAULT_CREDITOR:
        report.warnings.append("文件没有“债权人”列：开场白只会自称“客户服务中心”。建议补上债权人和机构对外名称。")
    return Context(now.astimezone(SHANGHAI).date(), {creditor.name: creditor for creditor in known}, default)


@dataclass(frozen=True, slots=True)
class _Good:
    row: int
    new: NewCase


def _parse(rows: tuple[Row, ...], places: dict[Column, int], context: Context, report: ImportReport) -> Iterator[_Good]:
    """The rows to save, each case once; the rest goes into the report."""
    first: dict[str, _Good] = {}
    people: dict[str, _Good] = {}
    for row in rows:
        try:
            new = parse_row(row, places, context)
        except RowError as error:
            main, *more = error.problems
            report.rejected.append(Rejection(row.number, main.column, main.value, main.reason, tuple(more)))
            continue
        earlier = first.get(new.case.id)
        if earlier is not None and earlier.new == new:
            report.duplicate_rows.append(Duplicate(row.number, new.case.id, earlier.row))
        elif earlier is not None:
            report.rejected.append(_conflict(row, places, new, earlier))
        elif (same := people.get(new.case.debtor.id)) and same.new.case.debtor != new.case.debtor:
            report.rejected.append(_two_people(row, new, same))
        else:
            good = _Good(row.number, new)
            first[new.case.id] = good
            people.setdefault(new.case.debtor.id, good)
            yield good


def _conflict(row: Row, places: dict[Column, int], new: NewCase, earlier: _Good) -> Rejection:
    if Column.CASE_ID in places:
        reason = f"与第{earlier.row}行的借据号相同，内容却不同。请只保留正确的一行。"
        return Rejection(row.number, Column.CASE_ID.value, new.case.id, reason)
    reason = f"与第{earlier.row}行是同一人的同一产品，内容却不同。若是两笔借款，请增加“借据号”列。"
    return Rejection(row.number, Column.NAME.value, new.case.debtor.name, reason)


def _two_people(row: Row, new: NewCase, same: _Good) -> Rejection:
    reason = f"与第{same.row}行是同一客户，核身信息却不同。请核对身份证后四位、出生月日和性别。"
    return Rejection(row.number, Column.ID_LAST4.value, new.case.debtor.id_last4 or "", reason)


def _warn_unverifiable(good: list[_Good], report: ImportReport) -> None:
    rows = [str(g.row) for g in good if g.new.case.debtor.id_last4 is None and g.new.case.debtor.birth_mmdd is None]
    if rows:
        shown = "、".join(rows[:20]) + ("等" if len(rows) > 20 else "")
        report.warnings.append(f"第{shown}行没有身份证后四位和出生月日：无法核身，通话中不会提到欠款。")


def _warn_telltale(good: list[_Good], report: ImportReport) -> None:
    names = {
        g.new.case.creditor.name
        for g in good
        if g.new.case.creditor.neutral_name == NEUTRAL and g.new.case.creditor.name != NEUTRAL
    }
    for name in sorted(names):
        report.warnings.append(f"“{name}”会泄露欠款，核身前只自称“{NEUTRAL}”。可在“机构对外名称”列填写中性名称。")


async def _save(batch: list[_Good], store: Store, now: dt.datetime, report: ImportReport) -> None:
    results = await store.cases.save([good.new for good in batch], now)
    for good, result in zip(batch, results, strict=True):
        match result:
            case Saved.NEW:
                report.imported += 1
            case Saved.CHANGED:
                report.updated += 1
            case Saved.SAME:
                report.duplicate_rows.append(Duplicate(good.row, good.new.case.id, None))
