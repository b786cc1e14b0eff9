"""Bodies of several parts (RFC 2046 section 5.1, RFC 5621): carriers wrap the SDP together with other things."""

from __future__ import annotations

import re

#: Parts looked at; nobody sends more than three.
MAX_PARTS = 16
_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_CONTENT_TYPE = re.compile(rb"^(?:content-type|c)[ \t]*:[ \t]*([^;\r\n]+)", re.IGNORECASE | re.MULTILINE)


def part_of(content_type: str, body: bytes, wanted: str) -> bytes:
    """The first part of type `wanted` of a multipart body; b"" where there is none or the body is no such thing.

    `content_type` is the whole field, for its boundary. A part without a type of its own is plain text.
    """
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        return b""
    edge = re.escape((boundary.group(1) or boundary.group(2)).encode("utf-8", "replace"))
    pieces = re.split(rb"(?:^|\r?\n)--" + edge + rb"(?:--)?[ \t]*(?:\r?\n|$)", body, maxsplit=MAX_PARTS)
    for piece in pieces[1:]:
        head, content = _halves(piece)
        match = _CONTENT_TYPE.search(head)
        named = match.group(1).decode("utf-8", "replace").strip().lower() if match else "text/plain"
        if named == wanted:
            return content
    return b""


def _halves(part: bytes) -> tuple[bytes, bytes]:
    """Header fields and content of one part; a part may begin with the blank line, having no fields."""
    found = re.search(rb"(?:^|\r?\n)\r?\n", part)
    return (part[: found.start()], part[found.end() :]) if found else (part, b"")
