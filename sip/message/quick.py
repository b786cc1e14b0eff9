"""The quick way through a message as nearly every peer writes it; what is unusual in any way takes the thorough one.

One pattern looks at all header lines, another cuts them. What passes here is a part of what `parser` accepts and gives
the same values: the patterns leave out everything that needs care (folded lines, lists, escapes, quotes inside quotes,
control characters, numbers near their limits, names in unusual letters, spaces at the end).
"""

from __future__ import annotations

import re

from sip.errors import SipParseError
from sip.message.headers import FIELD_NAMES, Headers
from sip.message.message import Message, Request, Response
from sip.message.uri import Uri

_TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]++"
_HOST = r"(?:[A-Za-z0-9._\-]++|\[[0-9A-Fa-f:.]++\])"
_PORT = r"(?::(?:[1-5][0-9]{4}|[0-9]{1,4})(?![0-9]))?+"
_USER = r"(?:[!#-+\--9=A-Z\[-~]++@)?+"
_PARAMETERS = rf"(?:;{_TOKEN}(?:=(?:{_TOKEN}|\[[0-9A-Fa-f:.]++\])?+)?+)*+"
_URI = rf"sips?:{_USER}{_HOST}{_PORT}{_PARAMETERS}"
_ADDRESS = rf'(?:"[!#-;=?-\[\]-~ ]*+" ?|{_TOKEN} (?=<))?+<{_URI}>{_PARAMETERS}'
_NEEDS_CARE = (
    "via|v|from|f|to|t|call-id|i|cseq|content-length|l|contact|m|route|record-route"  # written in any other way
)
_LINE = "|".join([
    rf"(?:Via|v): *SIP/2\.0/[A-Z]++ {_HOST}{_PORT}{_PARAMETERS}",
    rf"(?:From|f|To|t|Contact|m|Route|Record-Route): *{_ADDRESS}",
    rf"CSeq: *[0-9]{{1,9}} {_TOKEN}", r"(?:Content-Length|l): *[0-9]{1,5}", r"(?:Call-ID|i): *[!-~][ -~]*+",
    rf"(?!(?i:{_NEEDS_CARE}):){_TOKEN}:[ -~]*+",
])  # fmt: skip
# It captures nothing: Python 3.11 can't, in such a loop.
_are_sound = re.compile(rf"(?:\r\n(?>{_LINE})(?<! )(?=\r|\Z))++").fullmatch
_pairs = re.compile(r"\r\n([^:]++): *+([^\r]*+)").findall
_TARGET = (
    rf"(sips?):(?:([!#-+\--9=A-Z\[-~]++)@)?({_HOST})"
    rf"(?::([1-5][0-9]{{4}}|[0-9]{{1,4}})(?![0-9]))?({_PARAMETERS})"
)
_request_line = re.compile(rf"([A-Z]++) ({_TARGET}) SIP/2\.0").fullmatch
_status_line = re.compile(r"SIP/2\.0 ([1-6][0-9][0-9]) ([ -~]*+)").fullmatch
_ONCE = frozenset({"From", "To", "Call-ID", "CSeq", "Content-Length"})
#: Header lines that are still usual.
MOST_LINES = 64


def parse_quickly(head: bytes, body: bytes) -> Message | None:
    """The message of these header fields and what follows the blank line; None: ask the thorough way."""
    try:
        text = head.decode("ascii")
        start = text.index("\r\n")
        if not _are_sound(text, start):
            return None
        items = _pairs(text, start)
        fields = dict(items)
        if not FIELD_NAMES.canonical.issuperset(fields):
            items = [(FIELD_NAMES[name], value) for name, value in items]
            fields = dict(items)
        repeated = len(items) - len(fields)
        if repeated and repeated != text.count("\r\nVia:", start) - 1 and _are_repeated(items):
            return None
        if len(items) > MOST_LINES or "Via" not in fields:
            return None
        return _message(text[:start], Headers.of_canonical(items), fields, body)
    except (ValueError, KeyError, SipParseError):
        return None


def _are_repeated(items: list[tuple[str, str]]) -> bool:
    once = [name for name, _ in items if name in _ONCE]
    return len(set(once)) < len(once)


def _message(start_line: str, headers: Headers, fields: dict[str, str], body: bytes) -> Message | None:
    """KeyError where From, To, Call-ID or CSeq is missing, all of which are sound if they are there."""
    _, _, _, cseq = fields["From"], fields["To"], fields["Call-ID"], fields["CSeq"]
    if (length := fields.get("Content-Length")) is not None:
        if int(length) > len(body):
            return None
        body = body[: int(length)]
    if (line := _request_line(start_line)) is not None:
        method, target, scheme, user, host, port, parameters = line.groups()
        if not cseq.endswith(f" {method}"):
            return None
        if parameters:
            return Request(method, Uri.parse(target), headers, body)
        return Request(method, Uri(scheme, user, host, int(port) if port else None), headers, body)
    if (line := _status_line(start_line)) is not None:
        return Response(int(line[1]), line[2], headers, body)
    return None
