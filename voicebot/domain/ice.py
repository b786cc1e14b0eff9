"""ICE servers: where browsers behind NAT find a way to the gateway, as the operator writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_PORTS: Final = {"stun": 3478, "turn": 3478, "turns": 5349}
_SERVER: Final = re.compile(
    r"(?P<scheme>stun|turns?):(?:(?P<user>[^:@\s]+):(?P<password>[^@\s]+)@)?"
    r"(?P<host>[A-Za-z0-9.-]+)(?::(?P<port>\d{1,5}))?(?P<query>\?transport=(?:udp|tcp))?"
)


@dataclass(frozen=True, slots=True)
class IceServer:
    """`url` as RFC 7064 and RFC 7065 write it; name and password for TURN."""

    url: str
    username: str | None = None
    password: str | None = None


def parse_ice_servers(entries: Iterable[str]) -> tuple[IceServer, ...]:
    """Entries such as `stun:stun.example.com:3478` and `turn:user:password@turn.example.com:3478?transport=tcp`.

    ValueError names the entry and what was expected. Hosts are names or IPv4 addresses, as aiortc reads no others.
    """
    return tuple(_parse(entry.strip()) for entry in entries if entry.strip())


def _parse(entry: str) -> IceServer:
    found = _SERVER.fullmatch(entry)
    if found is None or int(found["port"] or 1) > 65535:
        shown = re.sub(r":[^:@]*@", ":…@", entry)
        raise ValueError(f"expected stun:host:port or turn:user:password@host:port, not {shown!r}")
    if found["scheme"] == "stun" and found["query"]:
        raise ValueError(f"a STUN server has no transport: stun:{found['host']}:{found['port'] or 3478}")
    if found["scheme"] != "stun" and not found["user"]:
        raise ValueError(f"a TURN server wants a user and a password: turn:user:password@{found['host']}")
    port = found["port"] or _PORTS[found["scheme"]]
    url = f"{found['scheme']}:{found['host']}:{port}{found['query'] or ''}"
    return IceServer(url, found["user"], found["password"])
