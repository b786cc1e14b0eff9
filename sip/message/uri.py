"""SIP, SIPS and tel URIs (RFC 3261 section 19.1, RFC 3966)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import unquote

from sip.errors import SipParseError
from sip.message.grammar import PLAIN_PARAMETERS, Parameters, parameter, parse_number, plain_parameters

_SIP = re.compile(
    r"(?:(?P<user>[^@\s<>\"]+)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._\-]+)"
    r"(?::(?P<port>\d+))?"
    r"(?P<parameters>;[^?]*)?"
    r"(?:\?(?P<headers>.*))?"
)
# Most of them: no escapes, no header fields, a port far from its limit.
_PLAIN = re.compile(rf"(sips?):(?:([A-Za-z0-9+._\-]+)@)?([A-Za-z0-9._\-]+)(?::([0-9]{{1,4}}))?({PLAIN_PARAMETERS})")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.+)", re.DOTALL)
_FORBIDDEN = re.compile(r"[\s<>\"\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Uri:
    """`sip:user@host:port;parameters?headers`. `user` keeps its escapes and a password if there is one.

    Of a `tel:` URI `user` is the number and `host` is empty. Of any other scheme `user` is the opaque rest.
    """

    scheme: str
    user: str | None
    host: str
    port: int | None = None
    parameters: Parameters = ()
    headers: str = ""

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, text: str) -> Uri:
        """`sip:bob@192.0.2.4:5062` -> Uri("sip", "bob", "192.0.2.4", 5062); SipParseError."""
        if (plain := _PLAIN.fullmatch(text)) is not None:
            scheme, user, host, port, tail = plain.groups()
            return cls(scheme, user, host, int(port) if port else None, plain_parameters(tail))
        return cls._parse_fully(text)

    @classmethod
    def _parse_fully(cls, text: str) -> Uri:
        match = _SCHEME.fullmatch(text)
        if match is None or _FORBIDDEN.search(text):
            raise SipParseError(f"bad URI: {text[:80]!r}")
        scheme, rest = match.group(1).lower(), match.group(2)
        if scheme in ("sip", "sips"):
            return cls._parse_sip(scheme, rest)
        number, _, tail = rest.partition(";")
        return cls(scheme, number if scheme == "tel" else rest, "", None, _split(tail) if scheme == "tel" else ())

    @classmethod
    def _parse_sip(cls, scheme: str, rest: str) -> Uri:
        match = _SIP.fullmatch(rest)
        if match is None:
            raise SipParseError(f"bad {scheme} URI: {rest[:80]!r}")
        port = match["port"]
        return cls(
            scheme,
            match["user"],
            match["host"],
            None if port is None else parse_number(port, "port", 65536),
            _split(match["parameters"] or ""),
            match["headers"] or "",
        )

    def __str__(self) -> str:
        parameters = "".join(f";{n}" if v is None else f";{n}={v}" for n, v in self.parameters)
        if not self.host:
            return f"{self.scheme}:{self.user or ''}{parameters}"
        user = f"{self.user}@" if self.user is not None else ""
        port = f":{self.port}" if self.port is not None else ""
        headers = f"?{self.headers}" if self.headers else ""
        return f"{self.scheme}:{user}{self.host}{port}{parameters}{headers}"

    @property
    def is_sip(self) -> bool:
        return bool(self.host)

    @property
    def number(self) -> str:
        """The user part as people read it: unescaped, without password or `;` parameters."""
        return unquote((self.user or "").partition(":")[0].partition(";")[0])

    @property
    def hostname(self) -> str:
        """The host without the brackets of an IPv6 literal."""
        return self.host.strip("[]")

    def parameter(self, name: str) -> str | None:
        return parameter(self.parameters, name)

    def without_headers(self) -> Uri:
        return replace(self, headers="")


def _split(text: str) -> Parameters:
    """URI parameters. Empty ones are skipped: real devices end a URI with a lone semicolon."""
    pairs = (part.partition("=") for part in text.split(";") if part)
    return tuple((name.lower(), value if equals else None) for name, equals, value in pairs)
