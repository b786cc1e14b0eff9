"""Where a URI leads (RFC 3263, the part UDP needs): literal IPs at once, names by SRV and then by address."""

from __future__ import annotations

import asyncio
import ipaddress
import random
import socket

import dns.asyncresolver
import dns.exception

from sip.errors import ResolveError
from sip.message import Uri
from sip.transport.base import Address


def literal(uri: Uri) -> Address | None:
    """The address in a URI that holds one: no look-up, no waiting."""
    host = uri.parameter("maddr") or uri.hostname
    try:
        return str(ipaddress.ip_address(host)), uri.port or 5060
    except ValueError:
        return None


async def resolve(uri: Uri) -> Address:
    """One address to try. Raises ResolveError."""
    if not uri.is_sip:
        raise ResolveError(f"a {uri.scheme}: URI names no host; call it via an outbound proxy")
    if (address := literal(uri)) is not None:
        return address
    host, port = uri.hostname, uri.port
    if port is None:
        host, port = await _service(host)
    return await _host(host, port)


async def _service(host: str) -> Address:
    """RFC 2782: lowest priority, then chance by weight; the host itself where nothing is published."""
    try:
        answer = await dns.asyncresolver.resolve(f"_sip._udp.{host}", "SRV", lifetime=3)
    except (dns.exception.DNSException, OSError):
        return host, 5060
    records = [(r.priority, r.weight, str(r.target).rstrip("."), r.port) for r in answer]
    best = [record for record in records if record[0] == min(records)[0]]
    _, _, target, port = random.choices(best, [weight + 1 for _, weight, _, _ in best])[0]
    return (target or host), port


async def _host(host: str, port: int) -> Address:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, family=socket.AF_INET, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise ResolveError(f"{host} has no address: check the URI or the name server") from error
    return str(found[0][4][0]), port
