"""What a time-stamp token says, read without checking who says it: DER (X.690) of RFC 3161 and RFC 5652."""

from __future__ import annotations

SEQUENCE, OCTETS = 0x30, 0x04


def _next(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Tag and content of the element at byte `at`, and where the next begins. ValueError: not DER."""
    if at + 2 > len(data):
        raise ValueError("torn DER")
    tag, length, start = data[at], data[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(data[start : start + count], "big"), start + count
    if not 0 <= length <= len(data) - start:
        raise ValueError("torn DER")
    return tag, data[start : start + length], start + length


def children(data: bytes) -> list[tuple[int, bytes]]:
    """The elements inside a constructed one."""
    found, at = [], 0
    while at < len(data):
        tag, content, at = _next(data, at)
        found.append((tag, content))
    return found


def token_of(response: bytes) -> bytes:
    """The token (ContentInfo) in a TimeStampResp. ValueError: it was refused, or this is none."""
    _, body, end = _next(response, 0)
    if end != len(response):
        raise ValueError("bytes behind the response")
    parts = children(body)
    status = children(parts[0][1])
    if status[0][1] not in (b"\x00", b"\x01") or len(parts) < 2:
        raise ValueError("the authority refused")
    return response[end - len(body) + _length_of(body, 0) : end]


def _length_of(body: bytes, at: int) -> int:
    return _next(body, at)[2]


def read_token(token: bytes) -> tuple[bytes, str, int]:
    """Message imprint, time (YYYYMMDDHHMMSS[.f]Z) and serial number of a token. ValueError: it is none."""
    _, content_info, end = _next(token, 0)
    if end != len(token):
        raise ValueError("bytes behind the token")
    signed_data = children(children(content_info)[1][1])[0][1]
    encapsulated = children(signed_data)[2][1]
    octets = children(children(encapsulated)[1][1])[0]
    info = children(children(octets[1])[0][1])
    if octets[0] != OCTETS or info[2][0] != SEQUENCE:
        raise ValueError("this is no time-stamp token")
    imprint = children(info[2][1])[1][1]
    return imprint, info[4][1].decode("ascii"), int.from_bytes(info[3][1], "big")
