"""Parsing: one row of a case file becomes a case with its numbers, or all that is wrong with it."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from voicebot.campaign import fields
from voicebot.campaign.columns import Column
from voicebot.campaign.phones import PhoneError, parse_phone
from voicebot.campaign.tables import Row
from voicebot.domain.attempt import TargetKind
from voicebot.domain.case import Case, Creditor, Debtor
from voicebot.domain.records import Number
from voicebot.store.cases import NewCase

T = TypeVar("T")

NEUTRAL = "客户服务中心"
"""What we call ourselves before identity is verified when the lender's own name would tell too much."""

DEFAULT_CREDITOR = Creditor("default", NEUTRAL, NEUTRAL, "")
"""Where neither the file nor the database names a creditor; the opening then names nobody in particular."""

_TELLTALE = re.compile("催|贷|债|欠|逾期|清收|资产管理|不良|律师")
"""Words in a lender's name that would disclose the debt to whoever picks up the phone."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one cell; `reason` (Chinese) carries the remedy."""

    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Context:
    """What the file does not say: the day of the import and the creditors already known, by name."""

    today: dt.date
    creditors: Mapping[str, Creditor]
    default_creditor: Creditor = DEFAULT_CREDITOR


class RowError(ValueError):
    """The row cannot become a case."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems[0].reason)
        self.problems = problems


class RowReader:
    """Reads the cells of one row and gathers every problem instead of stopping at the first."""

    def __init__(self, row: Row, places: Mapping[Column, int]) -> None:
        self._row = row
        self._places = places
        self.problems: list[Problem] = []

    def text(self, column: Column) -> str:
        place = self._places.get(column)
        return self._row.cells[place] if place is not None and place < len(self._row.cells) else ""

    def numeric(self, column: Column) -> bool:
        return self._places.get(column) in self._row.numeric

    def read(self, column: Column, parse: Callable[[str], T], default: T) -> T:
        """The parsed cell; `default` where parsing failed, with the problem remembered."""
        try:
            return parse(self.text(column))
        except (fields.FieldError, PhoneError) as error:
            self.problem(column, str(error))
            return default

    def optional(self, column: Column, parse: Callable[[str], T], default: T) -> T:
        """As read, but an empty cell is `default` and no problem."""
        return self.read(column, parse, default) if self.text(column) else default

    def problem(self, column: Column, reason: str) -> None:
        self.problems.append(Problem(column.value, self.text(column), reason))


def parse_row(row: Row, places: Mapping[Column, int], context: Context) -> NewCase:
    """A case from one row. Raises RowError with everything that is wrong."""
    reader = RowReader(row, places)
    name = reader.read(Column.NAME, fields.parse_name, "")
    phones = _phones(reader)
    as_of = reader.optional(Column.AS_OF, fields.parse_date, context.today)
    creditor = _creditor(reader, context)
    product = reader.text(Column.PRODUCT) or "消费信贷"
    last4, birth = _identity(reader)
    draft = Case(
        id=reader.text(Column.CASE_ID),
        debtor=Debtor(
            id=reader.text(Column.DEBTOR_ID) or _stable_id("D", name, *phones[:1]),
            name=name,
            salutation=fields.parse_salutation(reader.text(Column.SALUTATION)),
            id_last4=last4,
            birth_mmdd=birth,
        ),
        creditor=creditor,
        product=product,
        amount_fen=_amount(reader),
        overdue_days=_overdue_days(reader, as_of),
        as_of=as_of,
        principal_fen=reader.optional(Column.PRINCIPAL, _optional_amount, None),
        fees_fen=reader.optional(Column.FEES, _optional_amount, None),
        lawsuit_filed=reader.read(Column.LAWSUIT_FILED, fields.parse_flag, False),
        credit_reported=reader.read(Column.CREDIT_REPORTED, fields.parse_flag, False),
        visit_scheduled=reader.read(Column.VISIT_SCHEDULED, fields.parse_flag, False),
        entrusted=reader.optional(Column.ENTRUSTED, fields.parse_flag, True),
    )
    _check_sum(reader, draft)
    _check_lengths(reader)
    if reader.problems:
        raise RowError(reader.problems)
    case_id = draft.id or _stable_id("C", creditor.id, draft.debtor.id, product)
    numbers = tuple(Number(phone, TargetKind.DEBTOR, rank) for rank, phone in enumerate(dict.fromkeys(phones)))
    return NewCase(replace(draft, id=case_id), numbers)


def _phones(reader: RowReader) -> list[str]:
    first = reader.read(Column.PHONE, parse_phone, "")
    second = reader.optional(Column.PHONE2, parse_phone, "")
    return [phone for phone in (first, second) if phone]


def _identity(reader: RowReader) -> tuple[str | None, str | None]:
    """(last four of the identity card, birthday); of a full number only these are kept."""
    nothing: tuple[str | None, str | None] = (None, None)
    last4, birth = reader.optional(Column.ID_CARD, fields.parse_id_card, nothing)
    stated4 = reader.optional(
        Column.ID_LAST4, lambda text: fields.parse_last4(text, reader.numeric(Column.ID_LAST4)), None
    )
    stated_birth = reader.optional(
        Column.BIRTH, lambda text: fields.parse_birth(text, reader.numeric(Column.BIRTH)), None
    )
    if last4 and stated4 and last4 != stated4:
        reader.problem(Column.ID_LAST4, "与身份证号不一致。请核对。")
    if birth and stated_birth and birth != stated_birth:
        reader.problem(Column.BIRTH, "与身份证号不一致。请核对。")
    return stated4 or last4, stated_birth or birth


def _amount(reader: RowReader) -> int:
    if reader.text(Column.AMOUNT_FEN) and not reader.text(Column.AMOUNT):
        return reader.read(Column.AMOUNT_FEN, fields.parse_fen, 0)
    return reader.read(Column.AMOUNT, fields.parse_amount, 0)


def _optional_amount(text: str) -> int | None:
    return 0 if text in ("0", "0.0", "0.00") else fields.parse_amount(text)


def _overdue_days(reader: RowReader, as_of: dt.date) -> int:
    if reader.text(Column.OVERDUE_DAYS) or not reader.text(Column.DUE_DATE):
        return reader.read(Column.OVERDUE_DAYS, fields.parse_days, 0)
    due = reader.read(Column.DUE_DATE, fields.parse_date, as_of)
    return max(0, (as_of - due).days)


def _check_sum(reader: RowReader, case: Case) -> None:
    """The script states the parts aloud, so they must make up the whole."""
    if case.principal_fen is None or case.fees_fen is None or reader.problems:
        return
    if case.principal_fen + case.fees_fen != case.amount_fen:
        reader.problem(Column.AMOUNT, "本金加息费不等于欠款金额。请核对三个数。")


def _check_lengths(reader: RowReader) -> None:
    for column in (Column.CASE_ID, Column.DEBTOR_ID, Column.PRODUCT, Column.CREDITOR, Column.HOTLINE):
        text = reader.text(column)
        if len(text) > 64 or any(ord(sign) < 32 for sign in text):
            reader.problem(column, "超过64个字或含有控制字符。请检查是否串列。")


def _creditor(reader: RowReader, context: Context) -> Creditor:
    name = reader.text(Column.CREDITOR)
    if not name:
        return context.default_creditor
    known = context.creditors.get(name)
    hotline = reader.text(Column.HOTLINE) or (known.hotline if known else "")
    neutral = reader.text(Column.NEUTRAL_NAME)
    if _TELLTALE.search(neutral):
        reader.problem(Column.NEUTRAL_NAME, "核身前报出这个名称会泄露欠款。请填写中性名称。")
    if not neutral:
        neutral = known.neutral_name if known else NEUTRAL if _TELLTALE.search(name) else name
    return Creditor(known.id if known else _stable_id("K", name), name, neutral, hotline)


def _stable_id(kind: str, *parts: str) -> str:
    """An id that the same data gets again at the next import."""
    return kind + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12]
