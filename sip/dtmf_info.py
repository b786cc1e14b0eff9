"""Digits that come and go by INFO: `application/dtmf-relay` and `application/dtmf` (no RFC; Cisco's form)."""

from __future__ import annotations

import re

from sip.events import Dtmf
from sip.message import Request

_DIGITS = "0123456789*#ABCD"
_SIGNAL = re.compile(r"^\s*Signal\s*=\s*(\S{1,2})\s*$", re.IGNORECASE | re.MULTILINE)
_DURATION = re.compile(r"^\s*Duration\s*=\s*(\d{1,5})\s*$", re.IGNORECASE | re.MULTILINE)
_DEFAULT_MS = 160


def read_dtmf(info: Request) -> Dtmf | None:
    """`Signal=5\\r\\nDuration=160` -> Dtmf("5", 160); None where the body is no digit."""
    text = info.body.decode("utf-8", "replace")
    if info.content_type == "application/dtmf":
        return _dtmf(text.strip(), None)
    if info.content_type == "application/dtmf-relay":
        signal, duration = _SIGNAL.search(text), _DURATION.search(text)
        return _dtmf(signal.group(1), duration and duration.group(1)) if signal else None
    return None


def write_dtmf(digit: str, duration_ms: int = _DEFAULT_MS) -> tuple[list[tuple[str, str]], bytes]:
    """Header fields and body of the INFO that carries one digit; ValueError where it is none."""
    if len(digit) != 1 or digit.upper() not in _DIGITS:
        raise ValueError(f"not a digit of a telephone: {digit[:10]!r}")
    body = f"Signal={digit.upper()}\r\nDuration={duration_ms}\r\n".encode()
    return [("Content-Type", "application/dtmf-relay")], body


def _dtmf(signal: str, duration: str | None) -> Dtmf | None:
    digit = {"10": "*", "11": "#"}.get(signal, signal.upper())
    if len(digit) != 1 or digit not in _DIGITS:
        return None
    return Dtmf(digit, int(duration) if duration else _DEFAULT_MS)
