"""Exporting: cases as a file with the headings that an import understands, and what came of them."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterable, Sequence

from voicebot.cases.columns import Column
from voicebot.cases.mending import write_csv
from voicebot.cases.traits import Trait, traits
from voicebot.domain.attempt import TargetKind
from voicebot.domain.case import Salutation
from voicebot.domain.money import yuan
from voicebot.domain.names import mask_name
from voicebot.domain.phone import mask_number
from voicebot.domain.records import CaseRecord
from voicebot.store import Store
from voicebot.store.cases import CaseFilter

BATCH = 500
MOST_XLSX = 100_000
"""Rows of a workbook at most: it is made in memory."""
STATUS, OUTSTANDING, TRIES, LAST, LAST_AT = "状态", "剩余金额", "呼叫次数", "最近结果", "最近呼叫"
_STATUS = {"open": "处理中", "suspended": "暂停", "closed": "结案"}
_TITLES = {Salutation.MR: "先生", Salutation.MS: "女士", Salutation.UNKNOWN: ""}
_CASE = (
    Column.CASE_ID, Column.DEBTOR_ID, Column.NAME, Column.SALUTATION, Column.PHONE, Column.PHONE2, Column.ID_LAST4,
    Column.BIRTH, Column.AMOUNT, Column.PRINCIPAL, Column.FEES, Column.OVERDUE_DAYS, Column.AS_OF, Column.PRODUCT,
    Column.CREDITOR, Column.NEUTRAL_NAME, Column.HOTLINE, Column.REGION, Column.LAWSUIT_FILED, Column.CREDIT_REPORTED,
    Column.VISIT_SCHEDULED, Column.ENTRUSTED,
)  # fmt: skip


def headings() -> list[str]:
    """The first line of an export."""
    ours = [STATUS, OUTSTANDING, TRIES, LAST, LAST_AT]
    return [*(column.value for column in _CASE), *(trait.zh for trait in traits().values()), *ours]


async def export_lines(store: Store, wanted: CaseFilter, masked: bool = False) -> AsyncIterator[list[str]]:
    """A line for each case of a filter, in the order of `headings`; read page by page, whatever their number.

    `masked`: for readers who may not see whose cases they are.
    """
    after: str | None = None
    while True:
        page = await store.cases.search(wanted, BATCH, after)
        for record in page.cases:
            yield masked_line(line_of(record)) if masked else line_of(record)
        if page.after is None:
            return
        after = page.after


def line_of(record: CaseRecord) -> list[str]:
    case = record.case
    own = [number.number for number in record.numbers if number.kind is TargetKind.DEBTOR]
    first, second = [*own, "", ""][:2]
    cells = [
        case.id, case.debtor.id, case.debtor.name, _TITLES[case.debtor.salutation], first, second,
        case.debtor.id_last4 or "", case.debtor.birth_mmdd or "", yuan(record.billed_fen), _yuan(case.principal_fen),
        _yuan(case.fees_fen), str(case.overdue_days), case.as_of.isoformat(), case.product, case.creditor.name,
        case.creditor.neutral_name, case.creditor.hotline, record.region, _flag(case.lawsuit_filed),
        _flag(case.credit_reported), _flag(case.visit_scheduled), _flag(case.entrusted),
    ]  # fmt: skip
    cells += [_trait(trait, {**record.traits, **record.loan}.get(trait.id)) for trait in traits().values()]
    last = record.last_call_at.isoformat(timespec="seconds") if record.last_call_at else ""
    ours = [_STATUS[record.status], yuan(case.amount_fen), str(record.attempts), record.last_disposition or "", last]
    return cells + ours


def masked_line(line: Sequence[str]) -> list[str]:
    """A line without whole names and numbers, and without what identity is checked by."""
    hidden = {
        Column.NAME: mask_name, Column.PHONE: mask_number, Column.PHONE2: mask_number,
        Column.ID_LAST4: _hidden, Column.BIRTH: _hidden,
    }  # fmt: skip
    by_place = {_CASE.index(column): mask for column, mask in hidden.items()}
    return [by_place[place](cell) if cell and place in by_place else cell for place, cell in enumerate(line)]


def _hidden(cell: str) -> str:
    return "****"


def csv_bytes(lines: Iterable[Sequence[str]], first: bool) -> bytes:
    """Some lines of a CSV; the mark that spreadsheet programs want stands before the first alone."""
    written = write_csv(list(lines))
    return written if first else written.removeprefix(b"\xef\xbb\xbf")


def workbook_bytes(lines: Iterable[Sequence[str]]) -> bytes:
    """An XLSX of one sheet; every cell is text, so that no zero and no digit gets lost."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("案件")
    for line in lines:
        sheet.append([_written(cell) for cell in line])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _written(cell: str) -> str:
    """Text without what a workbook may not hold; a formula stays text."""
    kept = "".join(sign for sign in cell if sign >= " " or sign in "\t\n")
    return f"'{kept}" if kept[:1] == "=" else kept


def _yuan(fen: int | None) -> str:
    return "" if fen is None else yuan(fen)


def _flag(value: bool) -> str:
    return "是" if value else "否"


def _trait(trait: Trait, value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return _flag(value)
        case int() if trait.kind == "money":
            return yuan(value)
        case _:
            return str(value)
