"""Traits: what a case file may tell of debtor and loan beyond the bill, as data/case_fields.yaml lists it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ruamel.yaml import YAML

from voicebot.cases import fields
from voicebot.cases.fields import FieldError
from voicebot.cases.tables import plain


@dataclass(frozen=True, slots=True)
class Trait:
    """One field: `of` is debtor or loan, `kind` tells how a cell is read, `zh` is its heading in reports."""

    id: str
    of: str
    kind: str
    zh: str
    en: str
    headings: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()


@cache
def traits() -> dict[str, Trait]:
    """All fields by id."""
    text = files(__package__).joinpath("data/case_fields.yaml").read_text(encoding="utf-8")
    found = YAML(typ="safe", pure=True).load(text)
    return {
        id_: Trait(
            id_,
            given["of"],
            given["kind"],
            given["zh"],
            given["en"],
            tuple(given.get("headings", ())),
            tuple(given.get("choices", ())),
        )
        for id_, given in found.items()
    }


def read_trait(trait: Trait, text: str) -> object:
    """The value of a cell, ready for JSON: text, a number, fen, or an ISO date. Raises FieldError."""
    match trait.kind:
        case "count":
            return fields.parse_count(text)
        case "day_of_month":
            return _day_of_month(text)
        case "money":
            return fields.parse_amount(text, zero=True)
        case "date":
            return fields.parse_date(text).isoformat()
        case "rate":
            return _number(plain(text).removesuffix("%"), 0, 1000)
        case "score":
            return _number(plain(text), -1e9, 1e9)
        case "flag":
            return fields.parse_flag(text)
        case "choice":
            return _choice(trait, plain(text))
        case _:
            return _short(text)


def _day_of_month(text: str) -> int:
    found = re.fullmatch(r"(?:每月)?(\d{1,2})(?:日|号)?", plain(text), re.ASCII)
    if not found or not 1 <= int(found[1]) <= 31:
        raise FieldError("应为1到31之间的日，例如 15。")
    return int(found[1])


def _number(written: str, low: float, high: float) -> float:
    try:
        number = float(written.replace(",", ""))
    except ValueError as error:
        raise FieldError("不是数字。请核对。") from error
    if not low <= number <= high:
        raise FieldError(f"应在{low:g}到{high:g}之间。请核对。")
    return number


def _choice(trait: Trait, written: str) -> str:
    if written not in trait.choices:
        raise FieldError(f"应为{'、'.join(trait.choices)}之一。")
    return written


def _short(text: str) -> str:
    if len(text) > 64 or any(ord(sign) < 32 for sign in text):
        raise FieldError("超过64个字或含有控制字符。请检查是否串列。")
    return text
