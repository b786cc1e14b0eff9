"""Parsing: one row of a case file becomes a case with its numbers, or all that is wrong with it."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from voicebot.cases import fields
from voicebot.cases.columns import Column, Places
from voicebot.cases.phones import parse_phone, place_and_carrier
from voicebot.cases.reaching import addresses_of, others_of
from voicebot.cases.regions import region_of_card, region_of_place
from voicebot.cases.rows import Problem, RowReader
from voicebot.cases.tables import Row, plain
from voicebot.cases.traits import read_trait, traits
from voicebot.domain.attempt import TargetKind
from voicebot.domain.case import Case, Creditor, Debtor, Instalment
from voicebot.domain.records import Number
from voicebot.store.cases import NewCase

NEUTRAL = "客户服务中心"
"""What we call ourselves before identity is verified when the lender's own name would tell too much."""

DEFAULT_CREDITOR = Creditor("default", NEUTRAL, NEUTRAL, "")
"""Where neither the file nor the database names a creditor; the opening then names nobody in particular."""

_TELLTALE = re.compile("催|贷|债|欠|逾期|清收|资产管理|不良|律师")
"""Words in a lender's name that would disclose the debt to whoever picks up the phone."""


_CONTROL = re.compile(r"[\x00-\x1f]")


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


def parse_row(row: Row, places: Places, context: Context, remarks: list[Problem] | None = None) -> NewCase:
    """A case from one row; `remarks` takes what was left out of it. Raises RowError with everything that is wrong."""
    reader = RowReader(row, places)
    name = reader.read(Column.NAME, fields.parse_name, "")
    phones = _phones(reader)
    as_of = reader.optional(Column.AS_OF, fields.parse_date, context.today)
    creditor = _creditor(reader, context)
    product = reader.text(Column.PRODUCT) or "消费信贷"
    identity = _identity(reader)
    draft = Case(
        id=_whole_id(reader, Column.CASE_ID),
        debtor=Debtor(
            id=_whole_id(reader, Column.DEBTOR_ID) or _stable_id("D", name, *phones[:1]),
            name=name,
            salutation=fields.parse_salutation(reader.text(Column.SALUTATION)),
            id_last4=identity.last4,
            birth_mmdd=identity.birth,
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
    own = [_number(phone, rank) for rank, phone in enumerate(dict.fromkeys(phones))]
    known = _traits(reader, places, "debtor"), _traits(reader, places, "loan")
    numbers, addresses = (*own, *others_of(reader, len(own), phones)), addresses_of(reader)
    if reader.problems:
        raise RowError(reader.problems)
    if remarks is not None:
        remarks += reader.remarks
    return NewCase(
        replace(draft, id=draft.id or _stable_id("C", creditor.id, draft.debtor.id, product)),
        numbers,
        addresses,
        *known,
        _region(reader, identity, own),
        identity.year,
        _instalment(reader, as_of),
    )


def _whole_id(reader: RowReader, column: Column) -> str:
    """An id as text; 1001.0 is what a program makes of 1001."""
    return re.sub(r"^(\d+)\.0$", r"\1", reader.text(column))


def _number(phone: str, rank: int) -> Number:
    place, carrier = place_and_carrier(phone)
    return Number(phone, TargetKind.DEBTOR, rank, place=place, carrier=carrier)


def _traits(reader: RowReader, places: Places, of: str) -> dict[str, object]:
    here = [traits()[id_] for id_ in places.traits if reader.trait_text(id_)]
    known = {trait.id: trait for trait in here if trait.of == of}
    read = {id_: reader.read_trait(id_, trait.zh, partial(read_trait, trait)) for id_, trait in known.items()}
    return {id_: value for id_, value in read.items() if value is not None}


def _region(reader: RowReader, identity: _Identity, own: list[Number]) -> str:
    written = reader.text(Column.REGION)
    if written:
        return region_of_place(written) or _CONTROL.sub("", written)[:20]
    return identity.region or next((region_of_place(number.place) for number in own if number.place), "")


def _instalment(reader: RowReader, as_of: dt.date) -> tuple[Instalment, ...]:
    """The one instalment that a row is, in a file that has a row for each."""
    if not reader.text(Column.TERM):
        return ()
    number = reader.read(Column.TERM, fields.parse_count, 0)
    return (Instalment(number, reader.optional(Column.DUE_DATE, fields.parse_date, as_of), _amount(reader)),)


def _phones(reader: RowReader) -> list[str]:
    first = reader.read(Column.PHONE, parse_phone, "")
    second = reader.optional(Column.PHONE2, parse_phone, "")
    return [phone for phone in (first, second) if phone]


@dataclass(frozen=True, slots=True)
class _Identity:
    """What identity checks ask for; of a full card number only this and the province are kept."""

    last4: str | None
    birth: str | None
    year: int | None = None
    region: str = ""


def _identity(reader: RowReader) -> _Identity:
    nothing: tuple[str | None, str | None] = (None, None)
    no_day: tuple[str | None, int | None] = (None, None)
    last4, birth = reader.optional(Column.ID_CARD, fields.parse_id_card, nothing)
    stated4 = reader.optional(
        Column.ID_LAST4, lambda text: fields.parse_last4(text, reader.numeric(Column.ID_LAST4)), None
    )

    def birthday(text: str) -> tuple[str | None, int | None]:
        return fields.parse_birthday(text, reader.numeric(Column.BIRTH))

    stated_birth, stated_year = reader.optional(Column.BIRTH, birthday, no_day)
    if last4 and stated4 and last4 != stated4:
        reader.problem(Column.ID_LAST4, "与身份证号不一致。请核对。")
    if birth and stated_birth and birth != stated_birth:
        reader.problem(Column.BIRTH, "与身份证号不一致。请核对。")
    card = plain(reader.text(Column.ID_CARD)) if last4 else ""
    year = int(card[6:10]) if card else stated_year
    return _Identity(stated4 or last4, stated_birth or birth, year, region_of_card(card) if card else "")


def _amount(reader: RowReader) -> int:
    if reader.text(Column.AMOUNT_FEN) and not reader.text(Column.AMOUNT):
        return reader.read(Column.AMOUNT_FEN, fields.parse_fen, 0)
    return reader.read(Column.AMOUNT, fields.parse_amount, 0)


def _optional_amount(text: str) -> int | None:
    return fields.parse_amount(text, zero=True)


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
        if len(text) > 64 or _CONTROL.search(text):
            reader.problem(column, "超过64个字或含有控制字符。请检查是否串列。")


def _creditor(reader: RowReader, context: Context) -> Creditor:
    name = reader.text(Column.CREDITOR)
    if not name:
        return context.default_creditor
    known = known_creditor(name, context.creditors)
    neutral = reader.text(Column.NEUTRAL_NAME) or known.neutral_name
    if _TELLTALE.search(reader.text(Column.NEUTRAL_NAME)):
        reader.problem(Column.NEUTRAL_NAME, "核身前报出这个名称会泄露欠款。请填写中性名称。")
    return replace(known, neutral_name=neutral, hotline=reader.text(Column.HOTLINE) or known.hotline)


def known_creditor(name: str, creditors: Mapping[str, Creditor]) -> Creditor:
    """The creditor of this name, or a new one that is announced neutrally where its name would tell of the debt."""
    neutral = NEUTRAL if _TELLTALE.search(name) else name
    return creditors.get(name) or Creditor(_stable_id("K", name), name, neutral, "")


def _stable_id(kind: str, *parts: str) -> str:
    """An id that the same data gets again at the next import."""
    return kind + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12]
