"""One TCP or TLS connection: frames what arrives, holds back what can't be sent yet, and knows when to give up."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Protocol, cast

from sip.errors import SipParseError
from sip.transport.base import Hop
from sip.transport.framing import Framer
from sip.transport.tls import names

log = logging.getLogger("sip")

#: Messages handled before everybody else has a turn again.
MESSAGES_PER_TURN = 8
#: Bytes that a peer may leave unread before it is dropped.
MAX_UNREAD = 256 * 1024
#: Milliseconds after which the kernel gives up a peer that acknowledges nothing.
UNACKNOWLEDGED_MS = 20_000
PONG = b"\r\n"


class Patience(Protocol):
    """Seconds that a peer may take."""

    @property
    def first_message_s(self) -> float: ...

    @property
    def message_s(self) -> float: ...

    @property
    def idle_s(self) -> float: ...


class Connection(asyncio.Protocol):
    """`ended(connection, opened)` is called once, when nothing can come or go any more."""

    def __init__(
        self,
        hop: Hop,
        patience: Patience,
        receive: Callable[[bytes, Hop], None],
        ended: Callable[[Connection, bool], None],
        *,
        wanted_name: str = "",
    ) -> None:
        self.hop = hop
        self._patience, self._receive, self._ended, self._wanted = patience, receive, ended, wanted_name
        self._framer = Framer()
        self._transport: asyncio.Transport | None = None
        self._waiting: list[bytes] = []
        self._is_over = False
        self._loop = asyncio.get_running_loop()
        self._is_draining = False
        self._last = self._loop.time()
        self._begun: float | None = self._last  # the first message is awaited from the start

    @property
    def quiet_since(self) -> float:
        """Loop time of the last bytes either way."""
        return self._last

    def write(self, data: bytes) -> None:
        """Send now, or once the connection stands. OSError where the peer has stopped reading."""
        if self._is_over:
            raise OSError(f"the connection to {self.hop} is closed")
        if self._transport is None:
            self._waiting.append(data)
            if sum(map(len, self._waiting)) > MAX_UNREAD:
                self.fail()
            return
        if self._transport.is_closing():
            self._over(opened=True)
            raise OSError(f"the connection to {self.hop} is closed")
        self._begun = None if not self._framer.is_midway else self._begun
        self._last = self._loop.time()
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > MAX_UNREAD:
            self._drop("the peer does not read")

    def check(self, now: float) -> None:
        """Once a second: drop a peer that is too slow or has been silent for too long."""
        if self._transport is None or self._is_draining:
            return
        allowed = self._patience.message_s if self._framer.is_midway else self._patience.first_message_s
        if self._begun is not None and now - self._begun > allowed:
            self._drop("a message takes too long to arrive")
        elif now - self._last > self._patience.idle_s:
            self.close()

    def close(self) -> None:
        """Send what is waiting, then close."""
        if self._transport is None:
            self.fail()
        else:
            self._transport.close()
            self._over(opened=True)

    def fail(self) -> None:
        """Nothing comes of this connection."""
        self._over(opened=False)
        if self._transport is not None:
            self._transport.abort()

    # asyncio's side --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from it
        if self._is_over:
            transport.abort()
            return
        if self._wanted and not names(transport.get_extra_info("peercert") or {}, self._wanted):
            log.warning("the TLS certificate of %s does not name the domain that was called", self.hop)
            self._over(opened=False)
            transport.abort()
            return
        self._transport = transport
        _harden(transport.get_extra_info("socket"))
        self._begun = self._last = self._loop.time()
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            self.write(data)

    def data_received(self, data: bytes) -> None:
        self._last = self._loop.time()
        if not self._framer.is_midway:
            self._begun = self._last
        self._framer.feed(data)
        if not self._is_draining:
            self._drain()

    def connection_lost(self, exc: Exception | None) -> None:
        self._over(opened=True)

    # Framing ---------------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Hand on a few messages; the rest after everybody else had a turn, and nothing is read until then."""
        self._is_draining = False
        if self._is_over or self._transport is None:
            return
        for _ in range(MESSAGES_PER_TURN):
            message = self._next()
            if message is None:
                self._transport.resume_reading()
                return
            self._receive(message, self.hop)
            if self._is_over:
                return
        self._is_draining = True
        self._transport.pause_reading()
        self._loop.call_soon(self._drain)

    def _next(self) -> bytes | None:
        try:
            message = self._framer.next()
        except SipParseError as error:
            self._drop(error.reason)
            return None
        if self._framer.pings:
            self._framer.pings = 0
            self.write(PONG)
        if message is not None or not self._framer.is_midway:
            self._begun = None
        return message

    def _drop(self, why: str) -> None:
        log.debug("dropping the connection of %s: %s", self.hop, why)
        if self._transport is not None:
            self._transport.abort()
        self._over(opened=True)

    def _over(self, *, opened: bool) -> None:
        if not self._is_over:
            self._is_over = True
            self._ended(self, opened)


def _harden(sock: socket.socket | None) -> None:
    """Small messages at once; a peer that has vanished is noticed by the kernel."""
    if sock is None:
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
