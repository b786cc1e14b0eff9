"""Spoken Chinese numerals to values: ellipsis (三千五 is 3500), 零, 两, mixed writing (1w2, 3千5, 1.2万)."""

from __future__ import annotations

import re
from decimal import Decimal

DIGIT = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
UNIT = {"十": 10, "百": 100, "千": 1000, "k": 1000}
MYRIAD = {"万": 10_000, "w": 10_000, "亿": 100_000_000}

_MYRIAD = 10_000

SMALL = "零〇一二两三四五六七八九"
# Possessive: figures inside a repeated group would otherwise be tried in every division.
RUN = rf"(?:\d++(?:\.\d++)?+(?:[wk](?![a-z]))?|[{SMALL}十百千万亿])++"
"""Regular expression of a maximal run that may be a numeral; `value` decides."""

_TOKEN = re.compile(r"\d+(?:\.\d+)?|.")


def value(run: str) -> Decimal | None:
    """三千五 -> 3500, 三千零五 -> 3005, 一万二 -> 12000, 1.2万 -> 12000; None for no numeral (幺二三, 百万)."""
    if not run:
        return None
    total, section, number = Decimal(0), Decimal(0), None
    last, zero, digits_before = 1, False, False
    for token in _TOKEN.findall(run):
        digit = _digit(token)
        if digit is not None:
            if number is not None or digits_before:
                return None
            if digit == 0 and token in "零〇" and (section or total):
                zero = True
                continue
            number = digit
        elif token in UNIT:
            if number is None and (token != "十" or (section and not zero)):
                return None
            if section and last < _MYRIAD and UNIT[token] >= last:
                return None
            section += (Decimal(1) if number is None else number) * UNIT[token]
            number, last, zero = None, UNIT[token], False
        elif token in MYRIAD:
            if number is None and not section:
                return None
            total = (total + section + (number or 0)) * MYRIAD[token] if token == "亿" else total + (
                section + (number or Decimal(0))
            ) * MYRIAD[token]
            section, number, last, zero = Decimal(0), None, MYRIAD[token], False
        else:
            return None
    if number is not None:
        section += number if zero or last <= 10 or number >= 10 else number * last / 10
    return total + section


def _digit(token: str) -> Decimal | None:
    if token in DIGIT:
        return Decimal(DIGIT[token])
    return Decimal(token) if token[0].isdigit() and token[0].isascii() else None


def whole(run: str) -> int | None:
    """`value` when it is a whole number; digit strings such as 二零二六 are read digit by digit."""
    found = value(run)
    if found is None and re.fullmatch(rf"[{SMALL}幺]+", run):
        return int("".join(str(DIGIT.get(char, 1)) for char in run))
    if found is None or found != found.to_integral_value():
        return None
    return int(found)


def smallest_unit(run: str) -> int:
    """The unit of the last place that is spoken: 三千五百 -> 100, 一万 -> 10000, 二十 -> 10, 3500 -> 100."""
    for char in reversed(run):
        if char in UNIT:
            return UNIT[char]
        if char in MYRIAD:
            return MYRIAD[char]
    plain = run.rstrip("0")
    return int(10 ** (len(run) - len(plain))) if run.isascii() else 1
