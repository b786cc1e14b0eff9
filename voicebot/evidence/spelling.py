"""The one spelling of a JSON value: RFC 8785 (JSON Canonicalization Scheme)."""

from __future__ import annotations

import json
from json.encoder import encode_basestring  # C where there is C; escapes as RFC 8785 wants
from typing import Any

LARGEST = 2**53 - 1
"""Whole numbers beyond it are not the same in every reader of JSON (RFC 7493)."""


def canonical(value: object) -> bytes:
    """`value` by RFC 8785, UTF-8. ValueError for NaN, infinity and lone surrogates; TypeError for what JSON lacks."""
    return _spell(value).encode("utf-8")


def _spell(value: object) -> str:
    if isinstance(value, str):
        return str(encode_basestring(value))
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_spell, value)) + "]"
    if isinstance(value, dict):
        pairs = sorted(value.items(), key=_utf16)
        return "{" + ",".join(encode_basestring(name) + ":" + _spell(item) for name, item in pairs) + "}"
    raise TypeError(f"JSON cannot hold {type(value).__name__}")


def _utf16(pair: Any) -> bytes:
    """Members are sorted by UTF-16 code units (RFC 8785 section 3.2.3)."""
    return str(pair[0]).encode("utf-16-be")


def _number(value: float) -> str:
    """As ECMAScript spells it (ECMA-262 Number::toString): the same shortest digits as repr, another layout."""
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError("JSON has neither NaN nor infinity")
    if value == 0:
        return "0"
    sign, text = ("-", repr(-value)) if value < 0 else ("", repr(value))
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    return sign + _layout(digits.rstrip("0"), point)


def _layout(digits: str, point: int) -> str:
    """0.DIGITS times ten to the `point`."""
    if len(digits) <= point <= 21:
        return digits.ljust(point, "0")
    if 0 < point <= 21:
        return digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    rest = "." + digits[1:] if len(digits) > 1 else ""
    return f"{digits[0]}{rest}e{point - 1:+d}"


def canonical_first(value: object) -> bytes:
    """The spelling of voicebot-evidence-1: the same but for floats and for members beyond the basic plane."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")
