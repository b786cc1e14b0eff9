"""Payments: what a file or a program says was paid, booked once each; a bad row never blocks the others."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from voicebot.cases.columns import key_of
from voicebot.cases.fields import FieldError, parse_amount, parse_date
from voicebot.cases.rows import Problem
from voicebot.cases.tables import Row, Table, parse_table, read_bytes
from voicebot.domain.clock import SHANGHAI, Clock, SystemClock
from voicebot.domain.payment import Payment
from voicebot.store import Store

BATCH = 500
CASE, AMOUNT, DAY, REFERENCE, CHANNEL = "借据号", "还款金额", "还款日期", "流水号", "渠道"
_HEADINGS = {
    CASE: "借据编号 案件号 案件编号 合同号 合同编号 case_id case loan_id contract_no",
    AMOUNT: "金额 实还金额 入账金额 支付金额 amount amount_yuan paid",
    DAY: "还款日 入账日期 入账日 支付日期 交易日期 日期 paid_on date payment_date",
    REFERENCE: "交易流水号 支付流水号 交易号 订单号 流水 reference external_id transaction_id",
    CHANNEL: "还款渠道 支付方式 还款方式 channel method",
}
_BY_HEADING = {key_of(name): meaning for meaning, names in _HEADINGS.items() for name in (meaning, *names.split())}
_NEEDED = (CASE, AMOUNT, DAY)


@dataclass(frozen=True, slots=True)
class PaymentRejection:
    """A row that was not booked; `row` as the spreadsheet counts."""

    row: int
    column: str
    value: str
    reason: str


@dataclass(slots=True)
class PaymentsReport:
    """booked + duplicates + len(rejected) is the number of rows. `closed`: cases paid in full by these payments."""

    booked: int = 0
    duplicates: int = 0
    booked_fen: int = 0
    closed: int = 0
    promises_kept: int = 0
    rejected: list[PaymentRejection] = field(default_factory=list)

    def to_json(self) -> dict[str, object]:
        return asdict(self)


async def import_payments(path: Path, store: Store, clock: Clock | None = None) -> PaymentsReport:
    """Book a CSV or XLSX of payments. Raises TableError when the file as a whole cannot be read."""
    table = await asyncio.to_thread(parse_table, await asyncio.to_thread(read_bytes, path))
    return await book_table(table, store, clock)


async def book_table(
    table: Table, store: Store, clock: Clock | None = None, progress: Callable[[int, int], None] = lambda done, of: None
) -> PaymentsReport:
    """Book the rows of a table that was read before."""
    now = (clock or SystemClock()).now()
    report = PaymentsReport()
    places = _places(table.header.cells)
    if lacking := "、".join(name for name in _NEEDED if name not in places):
        reason = f"缺少必需的列：{lacking}。请在第一行补上列名。"
        report.rejected = [PaymentRejection(row.number, lacking, "", reason) for row in table.rows or (table.header,)]
        return report
    read = await asyncio.to_thread(_read, table.rows, places, now.astimezone(SHANGHAI).date(), report)
    for start in range(0, len(read), BATCH):
        await _book(read[start : start + BATCH], store, now, report)
        progress(min(start + BATCH, len(read)), len(read))
    report.rejected.sort(key=lambda rejection: rejection.row)
    return report


async def book_payments(payments: Sequence[Payment], store: Store, clock: Clock | None = None) -> PaymentsReport:
    """Book payments a program told of; rows count from 1."""
    report = PaymentsReport()
    await _book(list(enumerate(payments, 1)), store, (clock or SystemClock()).now(), report)
    return report


def _places(headings: Sequence[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, heading in enumerate(headings):
        meaning = _BY_HEADING.get(key_of(heading))
        if meaning:
            places.setdefault(meaning, place)
    return places


def _read(
    rows: Sequence[Row], places: dict[str, int], today: dt.date, report: PaymentsReport
) -> list[tuple[int, Payment]]:
    alike: Counter[tuple[str, int, dt.date]] = Counter()
    read: list[tuple[int, Payment]] = []
    for row in rows:
        cells = {name: row.cells[place] if place < len(row.cells) else "" for name, place in places.items()}
        try:
            payment = _payment(cells, today, alike)
        except _BadCell as bad:
            problem = bad.problem
            report.rejected.append(PaymentRejection(row.number, problem.column, problem.value, problem.reason))
        else:
            read.append((row.number, payment))
    return read


class _BadCell(ValueError):
    def __init__(self, column: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.problem = Problem(column, value, reason)


def _payment(cells: dict[str, str], today: dt.date, alike: Counter[tuple[str, int, dt.date]]) -> Payment:
    case_id = cells[CASE]
    if not case_id:
        raise _BadCell(CASE, "", "为空。请补充借据号。")
    try:
        amount_fen = parse_amount(cells[AMOUNT])
    except FieldError as error:
        raise _BadCell(AMOUNT, cells[AMOUNT], str(error)) from error
    try:
        paid_on = parse_date(cells[DAY])
    except FieldError as error:
        raise _BadCell(DAY, cells[DAY], str(error)) from error
    if paid_on > today:
        raise _BadCell(DAY, cells[DAY], "还款日期在将来。请核对。")
    reference = cells.get(REFERENCE, "")
    if len(reference) > 128:
        raise _BadCell(REFERENCE, reference, "流水号超过128个字。请检查是否串列。")
    if not reference:
        key = (case_id, amount_fen, paid_on)
        alike[key] += 1
        reference = _own_reference(*key, alike[key])
    return Payment(case_id, amount_fen, paid_on, reference, "file", cells.get(CHANNEL, "")[:64])


def _own_reference(case_id: str, amount_fen: int, paid_on: dt.date, count: int) -> str:
    """A reference for a row that has none: the same file again gives the same; two equal rows in it are two."""
    told = f"{case_id}\x1f{amount_fen}\x1f{paid_on.isoformat()}\x1f{count}"
    return "row-" + hashlib.sha256(told.encode()).hexdigest()[:24]


async def _book(batch: Sequence[tuple[int, Payment]], store: Store, now: dt.datetime, report: PaymentsReport) -> None:
    settled = await store.payments.settle_many([payment for _, payment in batch], now)
    for (row, payment), done in zip(batch, settled, strict=True):
        if done is None:
            reason = "没有这个借据号的案件。请核对，或先导入案件。"
            report.rejected.append(PaymentRejection(row, CASE, payment.case_id, reason))
        elif done.new:
            report.booked += 1
            report.booked_fen += payment.amount_fen
            report.closed += done.closed
            report.promises_kept += done.promise_state == "kept"
        elif await _contradicts(store, payment):
            reason = "这个流水号已登记过，金额、日期或借据号却不同。请核对流水号。"
            report.rejected.append(PaymentRejection(row, REFERENCE, payment.external_id, reason))
        else:
            report.duplicates += 1


async def _contradicts(store: Store, payment: Payment) -> bool:
    """Whether another payment was booked under this one's reference."""
    told = (payment.amount_fen, payment.paid_on)
    booked = [each for each, _ in await store.payments.of_case(payment.case_id)]
    return not any(
        each.external_id == payment.external_id and (each.amount_fen, each.paid_on) == told for each in booked
    )
