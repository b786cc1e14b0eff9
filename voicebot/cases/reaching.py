"""Reaching: other people of a case and addresses for messages, from one row of a case file."""

from __future__ import annotations

import re

from voicebot.cases.columns import Column
from voicebot.cases.fields import FieldError, parse_name
from voicebot.cases.phones import parse_phone, place_and_carrier
from voicebot.cases.rows import RowReader
from voicebot.cases.tables import plain
from voicebot.domain.attempt import TargetKind
from voicebot.domain.case import Address
from voicebot.domain.records import Number

_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9_:.-]{6,255}", re.ASCII)


def others_of(reader: RowReader, first_rank: int, own: list[str]) -> tuple[Number, ...]:
    """Guarantor and contact; a number that is the debtor's own stays the debtor's."""
    found = (
        _other(reader, TargetKind.GUARANTOR, Column.GUARANTOR_PHONE, Column.GUARANTOR_NAME, None),
        _other(reader, TargetKind.CONTACT, Column.CONTACT_PHONE, Column.CONTACT_NAME, Column.CONTACT_RELATION),
    )
    fresh = {each[0]: each for each in found if each and each[0] not in own}
    return tuple(
        Number(phone, kind, first_rank + index, True, name, relation, *place_and_carrier(phone))
        for index, (phone, kind, name, relation) in enumerate(fresh.values())
    )


def _other(
    reader: RowReader, kind: TargetKind, at: Column, named: Column, related: Column | None
) -> tuple[str, TargetKind, str, str] | None:
    phone = reader.extra(at, parse_phone, "")
    name = reader.extra(named, parse_name, "")
    relation = re.sub(r"[\x00-\x1f]", "", reader.text(related))[:20] if related else ""
    return (phone, kind, name, relation) if phone else None


def addresses_of(reader: RowReader) -> tuple[Address, ...]:
    """E-mail, WeChat, push and letter addresses, as far as the row has them."""
    parsers = {
        "email": (Column.EMAIL, _email),
        "wechat": (Column.WECHAT, _token),
        "push": (Column.PUSH, _token),
        "letter": (Column.POST, _post),
    }
    read = {channel: reader.extra(column, parse, "") for channel, (column, parse) in parsers.items()}
    return tuple(Address(channel, address) for channel, address in read.items() if address)


def _email(text: str) -> str:
    written = plain(text)
    if not _EMAIL.fullmatch(written) or len(written) > 254:
        raise FieldError("不是电子邮箱，例如 zhang@example.com。请核对。")
    return written


def _token(text: str) -> str:
    written = plain(text)
    if not _TOKEN.fullmatch(written):
        raise FieldError("应为6到255个字母、数字或 _:.- 。请核对是否串列。")
    return written


def _post(text: str) -> str:
    if not 2 <= len(text) <= 200 or any(ord(sign) < 32 for sign in text):
        raise FieldError("地址应为2到200个字。请核对是否串列。")
    return text
