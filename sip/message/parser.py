"""Bytes of one datagram -> a message whose mandatory fields are sound, or SipParseError."""

from __future__ import annotations

import re

from sip.errors import SipParseError
from sip.message.fields import NameAddr, Via
from sip.message.grammar import is_token
from sip.message.headers import FIELD_NAMES, Headers
from sip.message.message import Message, Request, Response
from sip.message.quick import parse_quickly
from sip.message.uri import Uri

#: Bytes of one message. Far above any honest INVITE; a peer that sends more is broken or hostile.
MAX_MESSAGE = 8192
#: Header lines of one message, against quadratic work on thousands of one-byte fields.
MAX_FIELDS = 256

_FOLD = re.compile(rb"[ \t]*\r\n[ \t]+")
# A control character may stand only behind a backslash, in a quoted string (RFC 4475 3.1.1.2 does that).
_CONTROL = re.compile(r"(?<!\\)[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n")
_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6]\d\d) (.*)")
_VERSION = re.compile(r"SIP/\d+\.\d+", re.IGNORECASE)
_ONCE = ("From", "To", "Call-ID", "CSeq")


def parse_message(data: bytes, limit: int = MAX_MESSAGE) -> Message:
    """Parse one datagram, or one message of a stream; octets after Content-Length are dropped (RFC 3261 18.3).

    >>> parse_message(b"OPTIONS sip:a@b SIP/2.0\\r\\nVia: SIP/2.0/UDP c;branch=z9hG4bK1\\r\\n…").method
    'OPTIONS'
    """
    if len(data) > limit:
        raise SipParseError(f"message of {len(data)} bytes is longer than {limit}", 413)
    head, blank, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not blank:
        raise SipParseError("no blank line ends the header fields")
    return parse_quickly(head, body) or _parse_thoroughly(head, body)


def _parse_thoroughly(head: bytes, body: bytes) -> Message:
    text = _FOLD.sub(b" ", head).decode("utf-8", "replace")
    start_line, *lines = text.split("\r\n")
    if len(lines) > MAX_FIELDS:
        raise SipParseError(f"more than {MAX_FIELDS} header fields")
    headers = Headers.of_canonical(map(_field, lines))
    try:
        return _message(start_line, text, headers, body)
    except SipParseError as error:
        method = None if start_line.startswith("SIP/") else start_line.partition(" ")[0]
        raise SipParseError(error.reason, error.status, method=method, fields=headers) from None


def _field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise SipParseError(f"not a header field: {line[:80]!r}")
    return FIELD_NAMES[name], value.strip()


def _message(start_line: str, text: str, headers: Headers, body: bytes) -> Message:
    if _CONTROL.search(text):
        raise SipParseError("control character in a header field")
    body = _body(headers, body)
    message: Message
    if start_line.startswith("SIP/"):
        message = _response(start_line, headers, body)
    else:
        message = _request(start_line, headers, body)
    _check_fields(message)
    return message


def _request(line: str, headers: Headers, body: bytes) -> Request:
    parts = line.split(" ")
    if len(parts) != 3 or not is_token(parts[0]):
        raise SipParseError(f"bad request line: {line[:80]!r}")
    method, target, version = parts
    if version.upper() != "SIP/2.0":
        raise SipParseError(f"version is not SIP/2.0: {version[:20]!r}", 505 if _VERSION.fullmatch(version) else 400)
    uri = Uri.parse(target)
    if uri.headers:
        raise SipParseError("header fields are not allowed in a Request-URI (RFC 3261 19.1.1)")
    return Request(method, uri, headers, body)


def _response(line: str, headers: Headers, body: bytes) -> Response:
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise SipParseError(f"bad status line: {line[:80]!r}")
    return Response(int(match.group(1)), match.group(2), headers, body)


def _body(headers: Headers, rest: bytes) -> bytes:
    lengths = set(headers.all("Content-Length"))
    if not lengths:
        return rest
    text = lengths.pop()
    if lengths:
        raise SipParseError("several Content-Length fields disagree")
    if not (text.isascii() and text.isdigit()) or len(text) > 10:
        raise SipParseError(f"bad Content-Length: {text[:40]!r}")
    if int(text) > len(rest):
        raise SipParseError(f"Content-Length says {text}, {len(rest)} bytes came")
    return rest[: int(text)]


def _check_fields(message: Message) -> None:
    """What RFC 3261 8.1.1 demands of every message; later nobody meets a field that does not parse."""
    for name in _ONCE:
        found = len(message.headers.all(name))
        if found != 1:
            raise SipParseError(f"{found} {name} fields, one is needed")
    if "Via" not in message.headers:
        raise SipParseError("no Via field")
    for text in message.headers.elements("Via"):
        Via.parse(text)
    for name in ("Contact", "Route", "Record-Route"):
        _check_addresses(message.headers, name)
    _ = (message.from_, message.to, message.cseq)  # to read them is to check them
    if not message.call_id:
        raise SipParseError("an empty Call-ID")
    if isinstance(message, Request) and message.cseq.method != message.method:
        raise SipParseError(f"CSeq says {message.cseq.method[:20]}, the request line {message.method[:20]}")


def _check_addresses(headers: Headers, name: str) -> None:
    if name not in headers:
        return
    for text in headers.elements(name):
        if not (text == "*" and name == "Contact"):
            NameAddr.parse(text)


__all__ = ["MAX_FIELDS", "MAX_MESSAGE", "parse_message"]
