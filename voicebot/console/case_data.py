"""CaseData: cases as the console lists, shows, exports and changes them, and the payments it is told of."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from voicebot.cases.exporting import MOST_XLSX, csv_bytes, export_lines, headings, workbook_bytes
from voicebot.cases.payments import PaymentsReport, book_payments, book_table
from voicebot.cases.tables import parse_table
from voicebot.console.import_data import ImportDesk
from voicebot.console.queries import CaseRow
from voicebot.domain.case import Creditor
from voicebot.domain.clock import Clock
from voicebot.domain.outcome import Disposition
from voicebot.domain.payment import Payment
from voicebot.domain.phone import mask_number
from voicebot.domain.records import CaseRecord
from voicebot.store import Store
from voicebot.store.cases import CaseFilter
from voicebot.store.timeline import SHOWN, Moment

COUNTED_MOST = 10_000
"""Lists longer than this are said to be longer, and not counted."""

CSV_AT_ONCE = 500
_KNOWN = frozenset(item.value for item in Disposition)


@dataclass(frozen=True, slots=True)
class CaseList:
    """A page of cases; `before` and `after` are marks for the neighbouring pages. `total` ends at COUNTED_MOST + 1."""

    rows: tuple[CaseRow, ...]
    before: str | None
    after: str | None
    total: int

    @property
    def more_than_counted(self) -> bool:
        return self.total > COUNTED_MOST


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case with all that is kept of it. `moments` newest first; `older`: there are more before the last."""

    row: CaseRow
    record: CaseRecord
    stops: tuple[str, ...]
    moments: tuple[Moment, ...]
    older: bool


class CaseData:
    """ValueError, readable, for what cannot be done; LookupError for cases that do not exist."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.imports = ImportDesk(store, clock)

    async def page(self, wanted: CaseFilter, after: str | None = None, back: bool = False, limit: int = 25) -> CaseList:
        found = await self._store.cases.search(wanted, limit, after, back)
        total = await self._store.cases.count(wanted, COUNTED_MOST)
        return CaseList(tuple(case_row(record) for record in found.cases), found.before, found.after, total)

    async def view(self, case_id: str, before: dt.datetime | None = None) -> CaseView | None:
        record = await self._store.cases.record(case_id)
        if record is None:
            return None
        debtor, now = record.case.debtor.id, self._clock.now()
        stops: list[str] = []
        for number in [number.number for number in record.numbers] or [""]:
            stops += [stop.reason for stop in await self._store.contacts.stops_of(debtor, number, now)]
        moments = await self._store.timeline.of_case(case_id, before, SHOWN + 1)
        known = tuple(dict.fromkeys(stops))
        return CaseView(case_row(record), record, known, tuple(moments[:SHOWN]), len(moments) > SHOWN)

    async def creditors(self) -> Sequence[Creditor]:
        return await self._store.cases.creditors()

    async def set_status(self, case_id: str, status: str, by: str, why: str) -> None:
        """Suspend, close or open a case again; a person says why."""
        if not why.strip():
            raise ValueError("请说明原因。")
        if not await self._store.cases.set_status(case_id, status, self._clock.now(), by, why.strip()[:500]):
            raise LookupError(f"there is no case {case_id}")
        if status == "closed":
            await self._store.attempts.cancel(case_id, "closed by a person", self._clock.now())

    async def note(self, case_id: str, text: str, by: str) -> None:
        if not text.strip():
            raise ValueError("请写下内容。")
        if not await self._store.cases.note(case_id, text.strip()[:2000], self._clock.now(), by):
            raise LookupError(f"there is no case {case_id}")

    async def book(self, payments: Sequence[Payment]) -> PaymentsReport:
        return await book_payments(payments, self._store, self._clock)

    async def book_file(self, content: bytes) -> PaymentsReport:
        """TableError (a ValueError) for a file that can't be read."""
        return await book_table(await asyncio.to_thread(parse_table, content), self._store, self._clock)

    async def payments_of(self, case_id: str) -> Sequence[tuple[Payment, dt.datetime]]:
        return await self._store.payments.of_case(case_id)

    async def csv(self, wanted: CaseFilter, masked: bool = False) -> AsyncIterator[bytes]:
        """Cases as a CSV, piece by piece."""
        lines = [headings()]
        first = True
        async for line in export_lines(self._store, wanted, masked):
            lines.append(line)
            if len(lines) >= CSV_AT_ONCE:
                yield csv_bytes(lines, first)
                lines, first = [], False
        if lines:
            yield csv_bytes(lines, first)

    async def workbook(self, wanted: CaseFilter, masked: bool = False) -> bytes:
        """Cases as an XLSX. ValueError for more than MOST_XLSX."""
        if await self._store.cases.count(wanted, MOST_XLSX) > MOST_XLSX:
            raise ValueError(f"超过 {MOST_XLSX} 个案件。请缩小范围，或导出 CSV。")
        lines = [headings()]
        async for line in export_lines(self._store, wanted, masked):
            lines.append(line)
        return await asyncio.to_thread(workbook_bytes, lines)


def case_row(record: CaseRecord) -> CaseRow:
    """A case as lists show it: numbers by their ends only."""
    case = record.case
    return CaseRow(
        case_id=case.id,
        debtor_name=case.debtor.name,
        creditor=case.creditor.name,
        product=case.product,
        amount_fen=case.amount_fen,
        overdue_days=case.overdue_days,
        numbers_masked=tuple(mask_number(number.number) for number in record.numbers),
        attempts=record.attempts,
        last_disposition=Disposition(record.last_disposition) if record.last_disposition in _KNOWN else None,
        status=record.status,
    )
