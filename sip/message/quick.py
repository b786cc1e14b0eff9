"""The quick way through a message as nearly every peer writes it; what is unusual in any way takes the thorough one.

What passes here is a part of what `parser` accepts and gives the same values: the patterns leave out everything that
needs care (folded lines, lists, escapes, quotes inside quotes, control characters, numbers near their limits).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sip.errors import SipParseError
from sip.message.headers import FIELD_NAMES, Headers
from sip.message.message import Message, Request, Response
from sip.message.uri import Uri

_TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]+"
_HOST = r"(?:[A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\])"
_PORT = r"(?::[0-9]{1,4}|:[1-5][0-9]{4})?"
_USER = r"(?:[^@\s<>\"?,;:]+@)?"
_PARAMETERS = rf"(?:;{_TOKEN}(?:=(?:{_TOKEN}|\[[0-9A-Fa-f:.]+\]))?)*"
_URI = rf"sips?:{_USER}{_HOST}{_PORT}{_PARAMETERS}"

_request_line = re.compile(rf"([A-Z]+) ({_URI}) SIP/2\.0").fullmatch
_status_line = re.compile(r"SIP/2\.0 ([1-6]\d\d) (.*)").fullmatch
_is_via = re.compile(rf"SIP/2\.0/[A-Z]+ {_HOST}{_PORT}{_PARAMETERS}").fullmatch
_is_address = re.compile(rf'(?:"[^"\\<>]*" ?|{_TOKEN} )?<{_URI}>{_PARAMETERS}').fullmatch
#: Header lines that are still usual.
MOST_LINES = 64


#: What a field must look like to pass here; other fields may hold any printable text.
_SOUND: dict[str, Callable[[str], object]] = {
    "Via": _is_via, "From": _is_address, "To": _is_address, "Contact": _is_address, "Route": _is_address,
    "Record-Route": _is_address, "Content-Length": re.compile(r"[0-9]{1,5}").fullmatch,
    "CSeq": re.compile(rf"[0-9]{{1,9}} {_TOKEN}").fullmatch, "Call-ID": bool,
}  # fmt: skip
_ONCE = ("From", "To", "Call-ID", "CSeq", "Content-Length")


def parse_quickly(head: bytes, body: bytes) -> Message | None:
    """The message of these header fields and what follows the blank line; None: ask the thorough way."""
    try:
        start_line, *lines = head.decode("ascii").split("\r\n")
        if len(lines) > MOST_LINES or not "".join(lines).isprintable():
            return None
        items = [(FIELD_NAMES[name], value.strip()) for name, value in [line.split(":", 1) for line in lines]]
        fields = dict(items)
        if len(fields) < len(items) and _are_repeated(items):
            return None
        for name, value in items:
            if name in _SOUND and not _SOUND[name](value):
                return None
        return _message(start_line, Headers.of_canonical(items), fields, body) if "Via" in fields else None
    except (ValueError, KeyError, SipParseError):
        return None


def _are_repeated(items: list[tuple[str, str]]) -> bool:
    names = [name for name, _ in items]
    return any(names.count(name) > 1 for name in _ONCE)


def _message(start_line: str, headers: Headers, fields: dict[str, str], body: bytes) -> Message | None:
    """KeyError where From, To, Call-ID or CSeq is missing, all of which are sound if they are there."""
    _, _, _, cseq = fields["From"], fields["To"], fields["Call-ID"], fields["CSeq"]
    if (length := fields.get("Content-Length")) is not None:
        if int(length) > len(body):
            return None
        body = body[: int(length)]
    if (line := _request_line(start_line)) is not None:
        method, target = line.groups()
        return Request(method, Uri.parse(target), headers, body) if cseq.endswith(f" {method}") else None
    if (line := _status_line(start_line)) is not None and start_line.isprintable():
        return Response(int(line[1]), line[2], headers, body)
    return None
