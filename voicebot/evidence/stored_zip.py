"""A zip that can be rebuilt byte for byte: members sorted and stored, dates fixed, nothing between or behind.

Source: PKWARE APPNOTE 4.3. Dates are 1980-01-01, no extra fields, no comments.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping


def zip_local(name: str, crc: int, size: int) -> bytes:
    """Local header of a stored member."""
    encoded = name.encode("ascii")
    fixed = (0x04034B50, 20, 0, 0, 0, 33, crc, size, size, len(encoded), 0)
    return struct.pack("<IHHHHHIIIHH", *fixed) + encoded


def zip_directory(entries: Iterable[tuple[str, int, int, int]], at: int) -> bytes:
    """Central directory and end record for (name, crc, size, offset) that start at byte `at`."""
    body, count = b"", 0
    for name, crc, size, offset in entries:
        fixed = (0x02014B50, 20, 20, 0, 0, 0, 33, crc, size, size, len(name), 0, 0, 0, 0, 0, offset)
        body, count = body + struct.pack("<IHHHHHHIIIHHHHHII", *fixed) + name.encode("ascii"), count + 1
    return body + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(body), at, 0)


def zip_bytes(members: Mapping[str, bytes]) -> bytes:
    """The whole bundle, members in sorted order; the same members give the same bytes."""
    parts: list[bytes] = []
    entries: list[tuple[str, int, int, int]] = []
    at = 0
    for name in sorted(members):
        body = members[name]
        crc = zlib.crc32(body)
        head = zip_local(name, crc, len(body))
        entries.append((name, crc, len(body), at))
        parts += (head, body)
        at += len(head) + len(body)
    return b"".join(parts) + zip_directory(entries, at)


def _first_difference(one: bytes, other: bytes) -> int:
    same, different = 0, min(len(one), len(other)) + 1
    while different - same > 1:
        middle = (same + different) // 2
        same, different = (middle, different) if one[:middle] == other[:middle] else (same, middle)
    return same


def unzip(data: bytes) -> tuple[dict[str, bytes], list[tuple[str, str]]]:
    """Members of a bundle, read from the local headers, and what is wrong with its shape."""
    members: dict[str, bytes] = {}
    failures: list[tuple[str, str]] = []
    at = 0
    while data[at : at + 4] == b"PK\x03\x04" and at + 30 <= len(data):
        method, size, name_length, extra = struct.unpack_from("<8xH8xIxxxxHH", data, at)
        name = data[at + 30 : at + 30 + name_length].decode("ascii", "replace")
        start = at + 30 + name_length + extra
        if method or start + size > len(data):
            failures.append(("zip_malformed", f"member {name!r} at byte {at} is compressed or torn"))
            return members, failures
        if name in members:
            failures.append(("zip_duplicate", f"member {name!r} stands twice, again at byte {at}"))
        members[name] = data[start : start + size]
        at = start + size
    try:
        rebuilt = zip_bytes(members)
    except (UnicodeEncodeError, struct.error):
        rebuilt = b""
    if rebuilt != data:
        where = _first_difference(rebuilt, data)
        failures.append(("zip_altered", f"not the zip that was sealed: first difference at byte {where}"))
    return members, failures
