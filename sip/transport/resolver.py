"""Where a URI leads (RFC 3263): literal IPs at once, names by NAPTR, SRV and address; hops in the order to try."""

from __future__ import annotations

import asyncio
import ipaddress
import random
import socket
from collections.abc import Sequence
from functools import cache
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.resolver

from sip.errors import ResolveError
from sip.message import Uri
from sip.transport.base import Hop, TransportName

#: Seconds for one question to the name server.
LOOKUP_S = 3
#: Answers of name servers remembered.
MAX_ANSWERS = 1000
#: Hops tried for one URI at most.
MAX_HOPS = 8
_SERVICES: dict[TransportName, str] = {"UDP": "_sip._udp", "TCP": "_sip._tcp", "TLS": "_sips._tcp"}
_NAPTR: dict[str, TransportName] = {"SIP+D2U": "UDP", "SIP+D2T": "TCP", "SIPS+D2T": "TLS"}
_NAMED: dict[str, TransportName] = {"udp": "UDP", "tcp": "TCP", "tls": "TLS"}


def literal(uri: Uri) -> Hop | None:
    """The hop of a URI that holds an IP address: no look-up, no waiting."""
    host = uri.parameter("maddr") or uri.hostname
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError:
        return None
    protocol = _protocol(uri) or "UDP"
    return Hop(protocol, address, uri.port or _default_port(protocol), _name(protocol, uri))


async def resolve(uri: Uri, protocols: Sequence[TransportName] = ("UDP",)) -> list[Hop]:
    """The hops to try, best first, by transports that we have. Raises ResolveError where there is none."""
    if not uri.is_sip:
        raise ResolveError(f"a {uri.scheme}: URI names no host; call it via an outbound proxy")
    wanted = _protocol(uri)
    if wanted is not None and wanted not in protocols:
        raise ResolveError(f"{uri.hostname} is to be reached by {wanted}, which is not switched on")
    if (hop := literal(uri)) is not None:
        return [hop]
    host = uri.parameter("maddr") or uri.hostname
    if uri.port is not None:
        places = [(wanted or "UDP", host, uri.port)]
    else:
        places = await _services(host, wanted, protocols)
    hops = [hop for place in places for hop in await _addresses(*place, uri)]
    if not hops:
        raise ResolveError(f"{uri.hostname} has no address: check the URI or the name server")
    return list(dict.fromkeys(hops))[:MAX_HOPS]


def _protocol(uri: Uri) -> TransportName | None:
    """What the URI itself says (RFC 3263 4.1): `sips:` means TLS, else its transport parameter."""
    return "TLS" if uri.scheme == "sips" else _NAMED.get((uri.parameter("transport") or "").lower())


def _default_port(protocol: TransportName) -> int:
    return 5061 if protocol == "TLS" else 5060


def _name(protocol: TransportName, uri: Uri) -> str:
    return uri.hostname if protocol == "TLS" else ""


async def _services(
    host: str, wanted: TransportName | None, protocols: Sequence[TransportName]
) -> list[tuple[TransportName, str, int]]:
    """NAPTR for the transport where it is open, then SRV; the host itself where nothing is published."""
    order = [wanted] if wanted else [name for name in ("UDP", "TCP", "TLS") if name in protocols]
    usual = [(name, f"{_SERVICES[name]}.{host}") for name in order]
    # All at once: a name server that does not answer may cost its time once, not four times.
    services = asyncio.gather(*(_srv(service) for _, service in usual))
    preferred, found = await asyncio.gather(_naptr(host, protocols), services)
    known = dict(zip(usual, found, strict=True))
    for protocol, service in preferred if not wanted and preferred else usual:
        if places := known.get((protocol, service)) or await _srv(service):
            return [(protocol, target, port) for target, port in places]
    protocol = wanted or "UDP"
    return [(protocol, host, _default_port(protocol))]


async def _naptr(host: str, protocols: Sequence[TransportName]) -> list[tuple[TransportName, str]]:
    """Transports in the order that the domain prefers, each with its SRV name (RFC 3263 4.1)."""
    records = sorted(await _ask(host, "NAPTR"), key=lambda record: (record.order, record.preference))
    found = [(_NAPTR.get(record.service.decode("ascii", "replace").upper()), record) for record in records]
    return [(name, str(record.replacement).rstrip(".")) for name, record in found if name and name in protocols]


async def _srv(service: str) -> list[tuple[str, int]]:
    """RFC 2782: by priority; among equals by chance that follows the weights."""
    records = [(r.priority, r.weight, str(r.target).rstrip("."), r.port) for r in await _ask(service, "SRV")]
    shuffled = sorted(records, key=lambda r: (r[0], -(random.random() ** (1 / (r[1] + 1)))))
    return [(target, port) for _, _, target, port in shuffled if target]


@cache
def _resolver() -> dns.asyncresolver.Resolver:
    """Remembers answers as long as they say. NoResolverConfiguration where the machine has no name server."""
    resolver = dns.asyncresolver.Resolver()
    resolver.cache = dns.resolver.LRUCache(MAX_ANSWERS)
    return resolver


async def _ask(name: str, kind: str) -> list[Any]:
    try:
        return list(await _resolver().resolve(name, kind, lifetime=LOOKUP_S))
    except (dns.exception.DNSException, OSError):
        return []


async def _addresses(protocol: TransportName, host: str, port: int, uri: Uri) -> list[Hop]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return []
    ordered = sorted(found, key=lambda entry: entry[0] != socket.AF_INET)
    return [Hop(protocol, str(entry[4][0]), port, _name(protocol, uri)) for entry in ordered]
