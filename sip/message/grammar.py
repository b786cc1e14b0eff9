"""The grammar that all header fields share (RFC 3261 section 25): tokens, quotes, lists, parameters."""

from __future__ import annotations

import re

from sip.errors import SipParseError

Parameters = tuple[tuple[str, str | None], ...]

TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
HOST = re.compile(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._\-]+")
# A host, or an IPv6 address without brackets, as `received` has it (RFC 3261 25.1).
_PLAIN_VALUE = re.compile(rf"{HOST.pattern}|[0-9A-Fa-f:.]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
#: Parameters as nearly everybody writes them: small letters, no quotes, no spaces.
PLAIN_PARAMETERS = r"(?:;[a-z0-9\-]+(?:=[A-Za-z0-9\-.!%*_+`'~]+)?)*"
_PAIR = re.compile(r";([a-z0-9\-]+)(=?)([^;]*)")
_OUTSIDE_QUOTES = re.compile(r'"(?:[^"\\]|\\.)*"|<[^<>]*>|[,;]|[^",;<]+|.', re.DOTALL)


def is_token(text: str) -> bool:
    return TOKEN.fullmatch(text) is not None


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """Split at `,` or `;` but not inside "quoted strings" or <angle brackets>; parts come back stripped.

    >>> split_outside_quotes('"a, b" <sip:x@y>, <sip:z@y>', ",")
    ['"a, b" <sip:x@y>', '<sip:z@y>']
    """
    if '"' not in text and "<" not in text:
        return [part.strip() for part in text.split(separator)]
    parts, start = [], 0
    for piece in _OUTSIDE_QUOTES.finditer(text):
        if piece.group() == separator:
            parts.append(text[start : piece.start()].strip())
            start = piece.end()
        elif piece.group() == '"':
            raise SipParseError("a quoted string is not closed")
    parts.append(text[start:].strip())
    return parts


def parse_parameters(text: str) -> Parameters:
    """`;a=1;b;c="x;y"` -> (("a","1"),("b",None),("c","x;y")); names are lowered, quotes removed.

    Raises SipParseError for an empty parameter or a missing leading semicolon.
    """
    text = text.strip()
    if not text:
        return ()
    if text[0] != ";":
        raise SipParseError(f"parameters must start with a semicolon: {text[:40]!r}")
    return tuple(_parameter(part) for part in split_outside_quotes(text[1:], ";"))


def plain_parameters(text: str) -> Parameters:
    """What `parse_parameters` gives, for text that matches PLAIN_PARAMETERS."""
    return tuple([(name, value if equals else None) for name, equals, value in _PAIR.findall(text)]) if text else ()


def _parameter(part: str) -> tuple[str, str | None]:
    name, equals, value = part.partition("=")
    name = name.strip().lower()
    if not is_token(name):
        raise SipParseError(f"bad parameter name: {part[:40]!r}")
    return (name, unquote(value.strip())) if equals else (name, None)


def format_parameters(parameters: Parameters) -> str:
    return "".join(f";{name}" if value is None else f";{name}={_quoted_if_needed(value)}" for name, value in parameters)


def parameter(parameters: Parameters, name: str) -> str | None:
    """Value of the first parameter of that name; "" for a flag without value; None when it is absent."""
    for key, value in parameters:
        if key == name:
            return value or ""
    return None


def unquote(text: str) -> str:
    """Take the quotes off. Escaped control characters are dropped: no reader of a name wants a NUL."""
    if len(text) >= 2 and text[0] == '"' and text[-1] == '"':
        return _CONTROL.sub("", re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL))
    if '"' in text:
        raise SipParseError(f"stray quote: {text[:40]!r}")
    return text


def quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _quoted_if_needed(value: str) -> str:
    return value if is_token(value) or _PLAIN_VALUE.fullmatch(value) else quote(value)


def parse_number(text: str, what: str, limit: int) -> int:
    """Decimal digits below `limit`; anything else is a SipParseError naming `what`."""
    if not (text.isascii() and text.isdigit()) or len(text) > 20 or int(text) >= limit:
        raise SipParseError(f"{what} is not a number below {limit}: {text[:40]!r}")
    return int(text)
