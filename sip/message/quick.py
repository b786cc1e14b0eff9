"""The quick way through a message as nearly every peer writes it; what is unusual in any way takes the thorough one.

One pattern looks at the whole head; the fields are cut apart when somebody asks for one. What passes here is a part of
what `parser` accepts and gives the same values: the pattern leaves out everything that needs care (folded lines, lists,
escapes, quotes inside quotes, control characters, numbers near their limits, names in unusual letters).
"""

from __future__ import annotations

import re

from sip.errors import SipParseError
from sip.message.headers import Headers
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
_are_sound = re.compile(rf"(?:\r\n(?>{_LINE}) *+(?=\r|\Z))++").fullmatch  # captures nothing: 3.11 can't, in such a loop
_request_line = re.compile(rf"([A-Z]++) ({_URI}) SIP/2\.0").fullmatch
_status_line = re.compile(r"SIP/2\.0 ([1-6][0-9][0-9]) ([ -~]*+)").fullmatch
_method = re.compile(rf"\r\nCSeq: *+[0-9]++ ({_TOKEN})").search
_length = re.compile(r"\r\n(?:Content-Length|l): *+([0-9]++)").search
_ONCE = (("\r\nFrom:", "\r\nf:"), ("\r\nTo:", "\r\nt:"), ("\r\nCall-ID:", "\r\ni:"))
#: Header lines that are still usual.
MOST_LINES = 64


def parse_quickly(head: bytes, body: bytes) -> Message | None:
    """The message of these header fields and what follows the blank line; None: ask the thorough way."""
    try:
        text = head.decode("ascii")
        start = text.index("\r\n")
        lines = text[start:]
        if _are_sound(lines) and _has_all(lines) and (kept := _body(lines, body)) is not None:
            return _message(text[:start], lines, kept)
    except (ValueError, SipParseError):
        pass
    return None


def _has_all(lines: str) -> bool:
    """Each of the fields that every message needs is there, and only once if it must not be repeated."""
    if lines.count("\r\n") > MOST_LINES or not ("\r\nVia:" in lines or "\r\nv:" in lines):
        return False
    return lines.count("\r\nCSeq:") == 1 and all(lines.count(long) + lines.count(short) == 1 for long, short in _ONCE)


def _body(lines: str, body: bytes) -> bytes | None:
    lengths = lines.count("\r\nContent-Length:") + lines.count("\r\nl:")
    if lengths == 0:
        return body
    said = _length(lines)
    if lengths > 1 or said is None or int(said[1]) > len(body):
        return None
    return body[: int(said[1])]


def _message(start_line: str, lines: str, body: bytes) -> Message | None:
    if (line := _request_line(start_line)) is not None:
        verb, target = line.groups()
        method = _method(lines)
        return Request(verb, Uri.parse(target), Headers.of_lines(lines), body) if method and method[1] == verb else None
    if (line := _status_line(start_line)) is not None:
        return Response(int(line[1]), line[2], Headers.of_lines(lines), body)
    return None
