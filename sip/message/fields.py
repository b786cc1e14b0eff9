"""The header fields with structure: addresses (From, To, Contact, Route), Via and CSeq."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from sip.errors import SipParseError
from sip.message.grammar import (
    PLAIN_PARAMETERS,
    Parameters,
    format_parameters,
    is_token,
    parameter,
    parse_number,
    parse_parameters,
    plain_parameters,
    quote,
    unquote,
)
from sip.message.uri import Uri

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_VIA = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*(?P<transport>[A-Za-z0-9\-.!%*_+`'~]+)\s+"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._\-]+)\s*(?::\s*(?P<port>\d+))?\s*(?P<parameters>;.*)?",
    re.DOTALL | re.IGNORECASE,
)
# The same two as nearly everybody writes them; what does not match takes the longer way.
_PLAIN_VIA = re.compile(
    rf"SIP/2\.0/([A-Z]+) ([A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{{1,4}}))?({PLAIN_PARAMETERS})"
)
_PLAIN_ADDRESS = re.compile(
    rf"(?:\"([^\"\\<>\x00-\x1f\x7f]*)\" ?|([A-Za-z0-9\-.!%*_+`'~]+) )?<([^<>]*)>({PLAIN_PARAMETERS})"
)


@dataclass(frozen=True, slots=True)
class NameAddr:
    """`"Display" <uri>;parameters` (RFC 3261 section 20.10)."""

    uri: Uri
    display: str = ""
    parameters: Parameters = ()

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, text: str) -> NameAddr:
        """`Bob <sip:bob@a.com>;tag=1` -> NameAddr(Uri, "Bob", (("tag", "1"),)); SipParseError."""
        if (plain := _PLAIN_ADDRESS.fullmatch(text)) is not None:
            quoted, word, address, tail = plain.groups()
            return cls(Uri.parse(address), quoted or word or "", plain_parameters(tail))
        return cls._parse_fully(text.strip())

    @classmethod
    def _parse_fully(cls, text: str) -> NameAddr:
        display, rest = _display_name(text)
        if rest.startswith("<"):
            address, closed, tail = rest[1:].partition(">")
            if not closed:
                raise SipParseError(f"address is not closed by '>': {text[:80]!r}")
            return cls(Uri.parse(address), display, parse_parameters(tail))
        # Without brackets, RFC 3261 20.10: everything from the semicolon on belongs to the field, and
        # a comma or question mark inside the URI is forbidden.
        address, semicolon, tail = rest.partition(";")
        if "?" in address or "," in address:
            raise SipParseError(f"this address needs angle brackets: {text[:80]!r}")
        return cls(Uri.parse(address.strip()), "", parse_parameters(semicolon + tail))

    def __str__(self) -> str:
        name = f"{quote(self.display)} " if self.display else ""
        return f"{name}<{self.uri}>{format_parameters(self.parameters)}"

    @property
    def tag(self) -> str | None:
        return parameter(self.parameters, "tag") or None

    def with_tag(self, tag: str) -> NameAddr:
        others = tuple(pair for pair in self.parameters if pair[0] != "tag")
        return replace(self, parameters=(*others, ("tag", tag)))


def _display_name(text: str) -> tuple[str, str]:
    """Split off the display name; unquoted it may hold all but `,` `"` `;`, for phones send UTF-8."""
    if text.startswith('"'):
        match = _QUOTED.match(text)
        if match is None:
            raise SipParseError(f"display name is not closed by a quote: {text[:80]!r}")
        rest = text[match.end() :].lstrip()
        if not rest.startswith("<"):
            raise SipParseError(f"no address after the display name: {text[:80]!r}")
        return unquote(match.group()), rest
    at = text.find("<")
    if at < 0:
        return "", text
    display = text[:at].strip()
    if any(mark in display for mark in ',";'):
        raise SipParseError(f"display name must be quoted: {text[:80]!r}")
    return display, text[at:]


@dataclass(frozen=True, slots=True)
class Via:
    """One hop: `SIP/2.0/UDP host:port;branch=…;rport;received=…` (RFC 3261 section 20.42, RFC 3581)."""

    transport: str
    host: str
    port: int | None = None
    parameters: Parameters = ()

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, text: str) -> Via:
        if (plain := _PLAIN_VIA.fullmatch(text)) is not None:
            transport, host, port, tail = plain.groups()
            return cls(transport, host, int(port) if port else None, plain_parameters(tail))
        return cls._parse_fully(text)

    @classmethod
    def _parse_fully(cls, text: str) -> Via:
        match = _VIA.fullmatch(text.strip())
        if match is None:
            raise SipParseError(f"bad Via: {text[:80]!r}")
        port = match["port"]
        return cls(
            match["transport"].upper(),
            match["host"],
            None if port is None else parse_number(port, "Via port", 65536),
            parse_parameters(match["parameters"] or ""),
        )

    def __str__(self) -> str:
        port = f":{self.port}" if self.port is not None else ""
        return f"SIP/2.0/{self.transport} {self.host}{port}{format_parameters(self.parameters)}"

    @property
    def branch(self) -> str:
        return parameter(self.parameters, "branch") or ""

    def has(self, name: str) -> bool:
        """The parameter is there, with or without a value."""
        return any(key == name for key, _ in self.parameters)

    @property
    def sent_by(self) -> tuple[str, int]:
        return self.host.lower(), self.port or 5060

    def seen_from(self, source: tuple[str, int]) -> Via:
        """What a server notes of the hop it was reached from: `received`, and `rport` if asked."""
        rport = parameter(self.parameters, "rport") is not None
        others = tuple(pair for pair in self.parameters if pair[0] not in ("rport", "received"))
        noted: Parameters = (("received", source[0]),) if rport or self.host.strip("[]") != source[0] else ()
        return replace(self, parameters=(*others, *noted, *((("rport", str(source[1])),) if rport else ())))


@dataclass(frozen=True, slots=True)
class CSeq:
    """`314159 INVITE`; the number is below 2**31 (RFC 3261 section 8.1.1.5)."""

    number: int
    method: str

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, text: str) -> CSeq:
        number, _, method = text.strip().partition(" ")
        method = method.strip()
        if not is_token(method):
            raise SipParseError(f"bad CSeq: {text[:80]!r}")
        return cls(parse_number(number, "CSeq", 2**31), method)

    def __str__(self) -> str:
        return f"{self.number} {self.method}"
