"""SIP over UDP on asyncio: one socket, one datagram one message (RFC 3261 section 18)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from functools import lru_cache

from sip.transport.base import Address, Receive

#: Bytes that may wait for us in the kernel, as far as it grants them: a burst of calls must not be lost.
RECEIVE_BUFFER = 1 << 20


class UdpTransport:
    name = "UDP"

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        self._address: Address = ("", 0)

    @property
    def address(self) -> Address:
        return self._address

    async def start(self, listen: Address, receive: Receive) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(receive), local_addr=listen)
        with contextlib.suppress(OSError):  # a smaller buffer works too
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        host, port = self._transport.get_extra_info("sockname")[:2]
        self._address = (host, port)

    def send(self, data: bytes, destination: Address) -> None:
        if self._transport is None or self._transport.is_closing():
            raise OSError("the transport is closed")
        # asyncio closes the whole socket on what is no OSError, an impossible port for one.
        if (":" in destination[0]) != (":" in self._address[0]) or not 0 < destination[1] < 65536:
            raise OSError(f"no way to {destination[0]}:{destination[1]} from {self._address[0]}")
        self._transport.sendto(data, destination)

    def local_address(self, destination: Address) -> Address:
        host, port = self._address
        return (source_towards(destination[0]), port) if host in ("0.0.0.0", "::") else (host, port)

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, receive: Receive) -> None:
        self._receive = receive

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._receive(data, (addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        """An ICMP error names no transaction; whoever it concerns learns it from its timers."""


@lru_cache(maxsize=256)
def source_towards(host: str) -> str:
    """The address the kernel would send from. Connecting a UDP socket sends nothing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((host, 9))
        return str(probe.getsockname()[0])
