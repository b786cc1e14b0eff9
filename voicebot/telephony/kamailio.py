"""Kamailio in front of workers: its configuration, written from what belongs to the installation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

DATA = Path(__file__).parent / "data" / "kamailio.cfg"
INSTALLED = Path("/etc/kamailio")
_PLAIN = re.compile(r"[^\s\"\\;#$]+")
_PHONE = re.compile(r"[A-Za-z0-9._+-]+")


@dataclass(frozen=True, slots=True)
class TlsEdge:
    """Where the proxy speaks TLS, and the PEM files of its certificate as it sees them."""

    listen: str
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Edge:
    """One proxy. Addresses are host:port, `workers` and `carrier` are sip: URIs.

    `carrier_addresses`: IP addresses that may call in without a password. `phones`: name and password of each desk
    phone. `folder`: where Kamailio will find the files. `ping_s`: how often workers are asked how they are.
    """

    listen: str
    domain: str
    workers: tuple[str, ...]
    carrier: str | None = None
    carrier_addresses: tuple[str, ...] = ()
    phones: Mapping[str, str] = field(default_factory=dict)
    tls: TlsEdge | None = None
    folder: Path = INSTALLED
    ping_s: int = 2


def configuration(edge: Edge) -> dict[str, str]:
    """All files by name. ValueError names what can't stand in a configuration, and what to write instead."""
    _check(edge)
    files = {
        "kamailio.cfg": DATA.read_text(encoding="utf-8"),
        "local.cfg": _lines(f"#!define {name} {value}".rstrip() for name, value in _defines(edge)),
        "dispatcher.list": _lines(f"1 {worker} 0 0" for worker in edge.workers),
        "passwords.cfg": _lines(f'$sht(password=>{name}) = "{word}";' for name, word in edge.phones.items()),
    }
    return files | ({"tls.cfg": _tls(edge.tls)} if edge.tls else {})


def write(edge: Edge, folder: Path) -> list[Path]:
    """Write all files into a folder, passwords readable by their owner alone. Raises ValueError and OSError."""
    files, written = configuration(edge), []
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        file = folder / name
        file.touch(mode=0o600 if name == "passwords.cfg" else 0o644)
        file.write_text(text, encoding="utf-8")
        written.append(file)
    return written


def _defines(edge: Edge) -> Iterable[tuple[str, str]]:
    yield "LISTEN", f"udp:{edge.listen}"
    yield "DOMAIN", f'"{edge.domain}"'
    if edge.carrier:
        yield "CARRIER", f'"{edge.carrier}"'
    if edge.carrier_addresses:
        yield "FROM_CARRIER", "(" + " || ".join(f'$si == "{address}"' for address in edge.carrier_addresses) + ")"
    yield "WORKERS", f'"{edge.folder}/dispatcher.list"'
    yield "PING_SECONDS", str(edge.ping_s)
    if edge.tls:
        yield "WITH_TLS", ""
        yield "TLS_LISTEN", f"tls:{edge.tls.listen}"
        yield "TLS_SETTINGS", f'"{edge.folder}/tls.cfg"'


def _tls(tls: TlsEdge) -> str:
    served = ("[server:default]", "method = TLSv1.2+", f"private_key = {tls.key}", f"certificate = {tls.certificate}")
    return _lines((*served, "[client:default]", "method = TLSv1.2+"))


def _check(edge: Edge) -> None:
    words = {"address": edge.listen, "domain": edge.domain, "carrier": edge.carrier or "none"}
    words |= {f"worker {number}": worker for number, worker in enumerate(edge.workers)}
    words |= {f"carrier's address {number}": address for number, address in enumerate(edge.carrier_addresses)}
    for what, word in words.items():
        if not word.isprintable() or not _PLAIN.fullmatch(word):
            raise ValueError(f"{what}: {word!r} must be without blanks, quotes and the signs \\ ; # $")
    for name, word in edge.phones.items():
        if not _PHONE.fullmatch(name):
            raise ValueError(f"phone {name!r}: its name may have letters, digits and the signs . _ + -")
        if not word.isprintable() or not word or re.search(r"[\"\\$]", word):
            raise ValueError(f'the password of phone {name} must be printable, without the signs " \\ $, and not empty')
    for worker in (*edge.workers, *([edge.carrier] if edge.carrier else [])):
        if not worker.startswith(("sip:", "sips:")) or len(worker) < 6:
            raise ValueError(f"{worker}: write it as a SIP address, such as sip:10.0.0.5:5060")


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
