"""A session description as a value (RFC 8866): read from any bytes, written as bytes."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from itertools import pairwise

from sip.errors import SdpError

MAX_LINES = 400
_LINE = re.compile(r"([a-z])=(.*)")
_MEDIA = re.compile(r"([a-z]+) (\d{1,5})(?:/\d+)? ([A-Z0-9/]+)((?: \S+)+)")

Attribute = tuple[str, str | None]
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(frozen=True, slots=True)
class Origin:
    """The `o=` line. A changed description keeps `session_id` and raises `version`."""

    username: str
    session_id: str
    version: str
    address: str

    def __str__(self) -> str:
        return f"{self.username} {self.session_id} {self.version} IN {_family(self.address)} {self.address}"


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """One `m=` line with what belongs to it; `connection` None: the session's applies; port 0: refused."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    attributes: tuple[Attribute, ...] = ()
    connection: str | None = None

    @property
    def direction(self) -> str | None:
        return next((name for name, _ in reversed(self.attributes) if name in DIRECTIONS), None)

    def rtpmap(self, payload_type: str) -> str | None:
        """`PCMA/8000` for "8", upper case, from the attributes only (static types need no rtpmap)."""
        for name, value in self.attributes:
            if name == "rtpmap" and value is not None:
                number, _, mapping = value.partition(" ")
                if number == payload_type:
                    return mapping.strip().upper()
        return None

    def lines(self) -> list[str]:
        lines = [f"m={self.kind} {self.port} {self.protocol} {' '.join(self.formats)}"]
        if self.connection:
            lines.append(f"c=IN {_family(self.connection)} {self.connection}")
        return lines + [_attribute_line(attribute) for attribute in self.attributes]


@dataclass(frozen=True, slots=True)
class SessionDescription:
    origin: Origin
    media: tuple[MediaDescription, ...]
    connection: str | None = None
    attributes: tuple[Attribute, ...] = ()
    name: str = "-"

    @property
    def direction(self) -> str | None:
        return next((name for name, _ in reversed(self.attributes) if name in DIRECTIONS), None)

    def encode(self) -> bytes:
        lines = ["v=0", f"o={self.origin}", f"s={self.name}"]
        if self.connection:
            lines.append(f"c=IN {_family(self.connection)} {self.connection}")
        lines.append("t=0 0")
        lines += [_attribute_line(attribute) for attribute in self.attributes]
        for media in self.media:
            lines += media.lines()
        return ("\r\n".join(lines) + "\r\n").encode()


def parse_sdp(data: bytes) -> SessionDescription:
    """Bytes -> SessionDescription; any bytes that are none raise SdpError.

    Lines may end in LF alone and the last one in nothing; unknown line types are skipped.
    """
    text = data.decode("utf-8", "replace")
    lines = [_split(line) for line in re.split(r"\r\n|\n", text, maxsplit=MAX_LINES) if line.strip()]
    if len(lines) > MAX_LINES:
        raise SdpError(f"more than {MAX_LINES} lines of SDP")
    if not lines or lines[0] != ("v", "0"):
        raise SdpError("SDP does not begin with v=0")
    starts = [index for index, (kind, _) in enumerate(lines) if kind == "m"] + [len(lines)]
    session = lines[: starts[0]]
    return SessionDescription(
        _origin(_last(session, "o")),
        tuple(_media(lines[start:end]) for start, end in pairwise(starts)),
        _connection(_last(session, "c")),
        _attributes(session),
        _last(session, "s") or "-",
    )


def _split(line: str) -> tuple[str, str]:
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise SdpError(f"not an SDP line: {line[:60]!r}")
    return match.group(1), match.group(2)


def _last(lines: list[tuple[str, str]], kind: str) -> str | None:
    return next((value for key, value in reversed(lines) if key == kind), None)


def _attributes(lines: list[tuple[str, str]]) -> tuple[Attribute, ...]:
    pairs = (value.partition(":") for kind, value in lines if kind == "a")
    return tuple((name.strip(), value if colon else None) for name, colon, value in pairs)


def _origin(value: str | None) -> Origin:
    words = (value or "").split()
    if len(words) != 6:
        raise SdpError(f"bad o= line: {(value or '')[:60]!r}")
    return Origin(words[0], words[1], words[2], words[5])


def _connection(value: str | None) -> str | None:
    """`IN IP4 192.0.2.1/127` -> "192.0.2.1"."""
    if value is None:
        return None
    words = value.split()
    if len(words) != 3 or words[0] != "IN" or words[1] not in ("IP4", "IP6"):
        raise SdpError(f"bad c= line: {value[:60]!r}")
    return words[2].partition("/")[0]


def _media(lines: list[tuple[str, str]]) -> MediaDescription:
    match = _MEDIA.fullmatch(lines[0][1].strip())
    if match is None or int(match.group(2)) > 65535:
        raise SdpError(f"bad m= line: {lines[0][1][:60]!r}")
    kind, port, protocol, formats = match.groups()
    return MediaDescription(
        kind, int(port), protocol, tuple(formats.split()), _attributes(lines), _connection(_last(lines, "c"))
    )


def _attribute_line(attribute: Attribute) -> str:
    name, value = attribute
    return f"a={name}" if value is None else f"a={name}:{value}"


def _family(address: str) -> str:
    return "IP6" if ":" in address else "IP4"


def is_ip(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True
