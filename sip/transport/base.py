"""What the endpoint needs of a transport, so that UDP, TCP, TLS and a simulated network are the same to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

#: (IP literal, port)
Address = tuple[str, int]
TransportName = Literal["UDP", "TCP", "TLS"]
Receive = Callable[[bytes, Address], None]


class Hop(NamedTuple):
    """Where a message goes or came from: the other end of one hop.

    `name` is the domain that a TLS peer's certificate has to name (RFC 5922); "" where we did not choose the peer.
    """

    protocol: TransportName
    host: str
    port: int
    name: str = ""

    @property
    def address(self) -> Address:
        return self.host, self.port

    @property
    def is_reliable(self) -> bool:
        return self.protocol != "UDP"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" + (f"/{self.protocol}" if self.is_reliable else "")


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Our certificate (needed to listen), whom we trust, and whether inbound peers must show a certificate too.

    `authorities` None trusts what the operating system trusts; `verify` False takes any certificate of a server.
    """

    certificate: Path | None = None
    key: Path | None = None
    authorities: Path | None = None
    verify: bool = True
    client_certificate: bool = False


class Transport(Protocol):
    name: str

    @property
    def address(self) -> Address:
        """Where we listen; the real port after `start`."""

    async def start(self, listen: Address, receive: Receive) -> None:
        """Bind and hand every message with its source to `receive`. OSError when the address is taken."""

    def send(self, data: bytes, destination: Address) -> None:
        """Send one message now or lose it. OSError when the destination is impossible."""

    def local_address(self, destination: Address) -> Address:
        """The address under which `destination` can reach us: for Via, Contact and SDP."""

    async def close(self) -> None: ...


def as_hop(where: Hop | Address) -> Hop:
    """A bare address means UDP."""
    return where if isinstance(where, Hop) else Hop("UDP", *where)
