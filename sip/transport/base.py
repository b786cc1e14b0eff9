"""What the endpoint needs of a transport, so that UDP and a simulated network are the same to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

#: (IP literal, port)
Address = tuple[str, int]
Receive = Callable[[bytes, Address], None]


class Transport(Protocol):
    name: str

    @property
    def address(self) -> Address:
        """Where we listen; the real port after `start`."""

    async def start(self, listen: Address, receive: Receive) -> None:
        """Bind and hand every datagram with its source to `receive`. OSError when the address is taken."""

    def send(self, data: bytes, destination: Address) -> None:
        """Send one message now or lose it. OSError when the destination is impossible."""

    def local_address(self, destination: Address) -> Address:
        """The address under which `destination` can reach us: for Via, Contact and SDP."""

    async def close(self) -> None: ...
