"""Why a call ended and when to come again: Reason (RFC 3326) and Retry-After (RFC 3261 20.33)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sip.errors import SipParseError
from sip.message import Message
from sip.message.grammar import quote, split_outside_quotes, unquote

_CAUSE = re.compile(r"\d{1,3}")
_SECONDS = re.compile(r"\s*(\d{1,10})")


@dataclass(frozen=True, slots=True)
class Reason:
    """`Q.850;cause=16;text="Normal call clearing"`; `protocol` in upper case: Q.850 or SIP."""

    protocol: str
    cause: int | None
    text: str = ""

    def __str__(self) -> str:
        cause = f";cause={self.cause}" if self.cause is not None else ""
        text = f";text={quote(' '.join(self.text.split()))}" if self.text else ""
        return f"{self.protocol}{cause}{text}"


def reasons(message: Message) -> tuple[Reason, ...]:
    """All reasons of a message in its order; those that cannot be read are left out."""
    return tuple(reason for text in _values(message) if (reason := _read(text)) is not None)


def _values(message: Message) -> list[str]:
    try:
        return message.headers.elements("Reason")
    except SipParseError:
        return []


def _read(text: str) -> Reason | None:
    try:
        protocol, *parameters = split_outside_quotes(text, ";")
        pairs = (item.partition("=") for item in parameters)
        values = {name.strip().lower(): unquote(value.strip()) for name, _, value in pairs}
    except SipParseError:
        return None
    cause = values.get("cause", "")
    number = int(cause) if _CAUSE.fullmatch(cause) else None
    return Reason(protocol.strip().upper(), number, values.get("text", "")) if protocol.strip() else None


def warning(error: SipParseError) -> tuple[str, str]:
    """Tells the peer's operator why we refuse (RFC 3261 20.43)."""
    return "Warning", f"399 - {quote(error.reason[:80])}"


def retry_after_s(message: Message) -> int | None:
    """Seconds of `Retry-After: 120 (maintenance);duration=60`; None where it says nothing readable."""
    match = _SECONDS.match(message.headers.get("Retry-After") or "")
    return int(match.group(1)) if match else None
