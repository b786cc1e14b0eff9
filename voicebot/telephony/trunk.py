"""Trunk: one way to the telephone network, with everything a carrier wants to be treated like. Plain data."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from voicebot.domain.phone import same_line

Transport = Literal["udp", "tcp", "tls"]
Srtp = Literal["off", "offer", "require"]
CodecName = Literal["PCMA", "PCMU", "G722", "opus"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_PORT = {"udp": 5060, "tcp": 5060, "tls": 5061}


class CallerRule(StrEnum):
    """Which number of a trunk's pool a call shows."""

    FIXED = "fixed"
    CAMPAIGN = "campaign"
    AREA = "area"


class Shape(StrEnum):
    """How a trunk wants numbers spelt."""

    E164 = "e164"
    """+8613800138000"""
    DIGITS = "digits"
    """8613800138000"""
    NATIONAL = "national"
    """13800138000, 01012345678"""


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """`strip` is taken off the front where it stands there, then `prefix` is put in front."""

    shape: Shape = Shape.E164
    strip: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """How we prove who we are (RFC 3261 section 22). The password never appears in a repr."""

    user: str
    password: str = field(repr=False)
    realm: str | None = None


@dataclass(frozen=True, slots=True)
class Registering:
    """REGISTER and stay registered (RFC 3261 section 10): at `registrar`, a URI, else at the trunk itself."""

    registrar: str | None = None
    expires_s: int = 300


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """Who we say is calling.

    `numbers`: the pool, first for FIXED. `asserted`, `preferred`, `diversion`: the header says the shown number
    (RFC 3325, RFC 5806). `privacy`: value of Privacy (RFC 3323), such as id.
    """

    numbers: tuple[str, ...] = ("voicebot",)
    rule: CallerRule = CallerRule.FIXED
    display: str | None = None
    domain: str | None = None
    asserted: bool = False
    preferred: bool = False
    diversion: str | None = None
    privacy: str | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """Whose calls are the trunk's, and what answers them. `called`: numbers with a script of their own.

    `digest` is the one algorithm that callers are challenged with: many telephones give up at one they don't know,
    even beside one that they do.
    """

    peers: tuple[Network, ...] = ()
    account: Account | None = None
    digest: Literal["MD5", "SHA-256"] = "MD5"
    script: str | None = None
    called: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Trunk:
    """`priority`: the lowest is tried first; `weight`: share of calls among equals, 0 only when no other is left.

    `max_calls` channels at once, `calls_per_second` new ones; `try_s`: how long a trunk may leave an INVITE without
    any answer before the next one is tried.
    """

    name: str
    host: str
    port: int = 5060
    transport: Transport = "udp"
    domain: str | None = None
    proxy: str | None = None
    account: Account | None = None
    registering: Registering | None = None
    priority: int = 10
    weight: int = 10
    max_calls: int = 30
    calls_per_second: float = 10.0
    codecs: tuple[CodecName, ...] = ("PCMA", "PCMU")
    srtp: Srtp = "off"
    caller: CallerIdentity = CallerIdentity()
    numbers: NumberFormat = NumberFormat()
    session_expires_s: int | None = 1800
    transfer: Literal["bridge", "refer"] = "bridge"
    dtmf: Literal["rfc4733", "info"] = "rfc4733"
    options_every_s: float = 30.0
    early_media: bool = True
    try_s: float = 5.0
    inbound: Inbound = Inbound()

    @property
    def uri_host(self) -> str:
        """What stands behind the @ of its URIs."""
        if self.domain:
            return self.domain
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORT[self.transport] else f"{host}:{self.port}"

    @property
    def aor_host(self) -> str:
        """The domain of our own address there."""
        return self.domain or (f"[{self.host}]" if ":" in self.host else self.host)

    @property
    def hop_uri(self) -> str:
        """Where its requests go: the proxy if there is one. Without a port, where that is the usual one: SRV tells."""
        if self.proxy:
            return self.proxy
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORT[self.transport] else f":{self.port}"
        return f"sip:{host}{port};transport={self.transport}"

    @property
    def is_behind(self) -> bool:
        """Its URIs name another place than the one that its requests go to."""
        return self.proxy is not None or self.domain is not None

    def takes_from(self, source: str) -> bool:
        """True where `source`, an IP address, is one of its peers."""
        address = ipaddress.ip_address(source)
        return any(address in network for network in self.inbound.peers)

    def script_for(self, called: str) -> str | None:
        """The script that answers calls to one of our numbers, however it is spelt."""
        by_line = {same_line(number): script for number, script in self.inbound.called}
        return by_line.get(same_line(called), self.inbound.script)
