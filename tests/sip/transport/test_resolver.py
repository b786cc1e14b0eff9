"""Where a URI leads: what it says itself, then NAPTR, then SRV, then addresses (RFC 3263)."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.resolver
import pytest

from sip.errors import ResolveError
from sip.message import Uri
from sip.transport import Hop, TransportLayer, UdpTransport, literal, resolve

ALL = ("UDP", "TCP", "TLS")
Zone = Mapping[tuple[str, str], list[str]]


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], list[str]]:
    """Records by (name, type), and addresses by (name, "A")."""
    records: dict[tuple[str, str], list[str]] = {}

    async def ask(name: str, kind: str, lifetime: float) -> list[Any]:
        if (name, kind) not in records:
            raise dns.resolver.NXDOMAIN
        rdtype = dns.rdatatype.from_text(kind)
        return [dns.rdata.from_text(dns.rdataclass.IN, rdtype, text) for text in records[name, kind]]

    async def addresses(self: object, host: str, port: int, **options: object) -> list[Any]:
        found = records.get((host, "A"))
        if found is None:
            raise socket.gaierror("no such host")
        return [(socket.AF_INET6 if ":" in ip else socket.AF_INET, 0, 0, "", (ip, port)) for ip in found]

    monkeypatch.setattr("sip.transport.resolver._resolver", lambda: SimpleNamespace(resolve=ask))
    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", addresses)
    return records


@pytest.mark.parametrize(
    ("uri", "hop"),
    [
        ("sip:a@192.0.2.1", Hop("UDP", "192.0.2.1", 5060)),
        ("sip:a@192.0.2.1:5070;transport=tcp", Hop("TCP", "192.0.2.1", 5070)),
        ("sips:a@192.0.2.1", Hop("TLS", "192.0.2.1", 5061, "192.0.2.1")),
        ("sip:a@192.0.2.1;transport=TLS", Hop("TLS", "192.0.2.1", 5061, "192.0.2.1")),
        ("sip:a@[2001:db8::1]:5062", Hop("UDP", "2001:db8::1", 5062)),
        ("sip:a@example.com;maddr=192.0.2.9", Hop("UDP", "192.0.2.9", 5060)),
        ("sip:a@example.com", None),
    ],
)
def test_literals_need_no_look_up(uri: str, hop: Hop | None) -> None:
    assert literal(Uri.parse(uri)) == hop


async def found(uri: str, protocols: tuple[str, ...] = ALL) -> list[Hop]:
    return await resolve(Uri.parse(uri), protocols)  # type: ignore[arg-type]


async def test_the_domain_s_order_of_transports_counts_as_far_as_we_have_them(zone: dict[Any, Any]) -> None:
    zone["example.com", "NAPTR"] = [
        '20 50 "s" "SIP+D2U" "" _sip._udp.example.com.',
        '10 50 "s" "SIPS+D2T" "" _sips._tcp.example.com.',
        '5 1 "s" "SIP+D2W" "" _sip._ws.example.com.',
    ]
    zone["_sips._tcp.example.com", "SRV"] = ["1 1 5071 a.example.com."]
    zone["_sip._udp.example.com", "SRV"] = ["1 1 5072 b.example.com."]
    zone["a.example.com", "A"], zone["b.example.com", "A"] = ["192.0.2.1"], ["192.0.2.2"]
    assert await found("sip:x@example.com") == [Hop("TLS", "192.0.2.1", 5071, "example.com")]
    assert await found("sip:x@example.com", ("UDP", "TCP")) == [Hop("UDP", "192.0.2.2", 5072)]
    assert await found("sips:x@example.com") == [Hop("TLS", "192.0.2.1", 5071, "example.com")]


async def test_priorities_are_kept_and_weights_shared(zone: dict[Any, Any]) -> None:
    zone["_sip._udp.example.com", "SRV"] = [
        "20 1 5060 c.example.com.",
        "10 90 5060 a.example.com.",
        "10 10 5060 b.example.com.",
    ]
    for host, ip in (("a", "192.0.2.1"), ("b", "192.0.2.2"), ("c", "192.0.2.3")):
        zone[f"{host}.example.com", "A"] = [ip]
    first: Counter[str] = Counter()
    for _ in range(300):
        hops = [hop.host for hop in await found("sip:x@example.com")]
        assert hops[-1] == "192.0.2.3" and len(hops) == 3
        first[hops[0]] += 1
    assert first["192.0.2.1"] > 200 and first["192.0.2.2"] > 5


async def test_a_port_forbids_srv_and_a_bare_host_is_enough(zone: dict[Any, Any]) -> None:
    zone["_sip._udp.example.com", "SRV"] = ["1 1 5070 wrong.example.com."]
    zone["example.com", "A"] = ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
    assert [str(hop) for hop in await found("sip:x@example.com:5099")] == [
        "192.0.2.1:5099", "192.0.2.2:5099", "[2001:db8::1]:5099",
    ]  # fmt: skip
    del zone["_sip._udp.example.com", "SRV"]
    assert (await found("sip:x@example.com;transport=tcp"))[0] == Hop("TCP", "192.0.2.1", 5060)


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("sip:x@nowhere.example", "no address"),
        ("tel:+8613800000000", "outbound proxy"),
        ("sips:x@a", "not switched on"),
    ],
)
async def test_dead_ends_say_what_to_do(zone: dict[Any, Any], uri: str, words: str) -> None:
    with pytest.raises(ResolveError, match=words):
        await found(uri, ("UDP",))


async def test_hops_of_the_other_family_are_left_out(zone: dict[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    zone["example.com", "A"] = ["2001:db8::1", "192.0.2.1"]
    for listen, expected in ((("127.0.0.1", 5060), "192.0.2.1"), (("::1", 5060), "2001:db8::1")):
        udp = UdpTransport()
        monkeypatch.setattr(udp, "_address", listen)
        assert [hop.host for hop in await TransportLayer(udp).resolve(Uri.parse("sip:x@example.com"))] == [expected]
