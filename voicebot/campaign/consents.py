"""Consents: a file of what debtors agreed to, row by row, with what could not be read and why.

debtor_id,kind,from,to,until,given_at,evidence
D001,other_hours,07:00,09:00,2027-06-30T00:00:00+08:00,2026-11-20T10:00:00+08:00,合同第 8 条
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping
from dataclasses import dataclass

from voicebot.domain.attempt import Consent

KINDS = ("other_hours", "noon", "holiday", "artificial_voice")
_NEEDED = ("debtor_id", "kind")


@dataclass(frozen=True, slots=True)
class ConsentRejected:
    """Row 1 is the header."""

    row: int
    column: str
    value: str
    reason: str


def read_consents(data: bytes, now: dt.datetime) -> tuple[list[tuple[int, Consent]], list[ConsentRejected]]:
    """Consents with their rows, and rows that are none. Any bytes at all give an answer."""
    text = _text(data)
    if text is None:
        return [], [ConsentRejected(1, "", "", "不是 UTF-8 或 GB18030 文本")]
    table = csv.DictReader(io.StringIO(text.replace("\x00", "")))
    good: list[tuple[int, Consent]] = []
    rejected: list[ConsentRejected] = []
    try:
        missing = [name for name in _NEEDED if name not in (table.fieldnames or ())]
        if missing:
            return [], [ConsentRejected(1, missing[0], "", "缺少此列")]
        for number, row in enumerate(table, 2):
            taken = _consent(number, row, now)
            if isinstance(taken, Consent):
                good.append((number, taken))
            else:
                rejected.append(taken)
    except csv.Error as error:
        rejected.append(ConsentRejected(table.line_num, "", "", f"不是 CSV：{error}"))
    return good, rejected


def _text(data: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _consent(number: int, row: Mapping[str, str | None], now: dt.datetime) -> Consent | ConsentRejected:
    said = {name: str(value).strip() for name, value in row.items() if name and isinstance(value, str)}

    def no(column: str, reason: str) -> ConsentRejected:
        return ConsentRejected(number, column, said.get(column, ""), reason)

    if not said.get("debtor_id"):
        return no("debtor_id", "缺少债务人编号")
    if said.get("kind") not in KINDS:
        return no("kind", f"须为 {'、'.join(KINDS)} 之一")
    given_at = _moment(said.get("given_at", ""), now)
    if given_at is None:
        return no("given_at", "须为带时区的时间，如 2026-11-20T10:00:00+08:00")
    data = {name: said[name] for name in ("from", "to", "until", "evidence") if said.get(name)}
    consent = Consent(said["debtor_id"], said["kind"], given_at, dict(data))
    if _moment(said.get("until", ""), now) is None:
        return no("until", "须为带时区的时间")
    return consent if consent.asked else no("from", "须为 07:00 这样的时刻，from 与 to 同时给出")


def _moment(text: str, otherwise: dt.datetime) -> dt.datetime | None:
    if not text:
        return otherwise
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment
