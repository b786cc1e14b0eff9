"""SIP over TCP and TLS: one table of connections, opened on demand, bounded, closed when idle (RFC 3261 18)."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Literal

from sip.seldom import Seldom
from sip.transport.base import Address, Hop
from sip.transport.connection import Connection
from sip.transport.udp import source_towards

log = logging.getLogger("sip")

Key = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Connections at once, of all peers and from one address; seconds that a peer may take or be silent."""

    connections: int = 2000
    per_source: int = 250
    connect_s: float = 3.0
    handshake_s: float = 5.0
    first_message_s: float = 10.0
    message_s: float = 10.0
    idle_s: float = 600.0


class StreamTransport:
    """TCP, or TLS where contexts are given. `receive` gets whole messages; `lost` hears of connections that end.

    `lost(hop, opened)`: `opened` False says that no connection came about.
    """

    def __init__(
        self,
        name: Literal["TCP", "TLS"],
        *,
        server: ssl.SSLContext | None = None,
        client: ssl.SSLContext | None = None,
        limits: StreamLimits = StreamLimits(),
    ) -> None:
        self.name = name
        self.limits = limits
        self.refused = 0
        self._log_failed, self._log_accept = Seldom(), Seldom()
        self._server, self._client = server, client
        self._address: Address = ("", 0)
        self._listener: socket.socket | None = None
        self._connections: dict[Key, Connection] = {}
        self._inbound: dict[str, set[Connection]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeping: asyncio.TimerHandle | None = None
        self._receive: Callable[[bytes, Hop], None] = lambda data, hop: None
        self._lost: Callable[[Hop, bool], None] = lambda hop, opened: None

    @property
    def address(self) -> Address:
        return self._address

    @property
    def connections(self) -> int:
        return len(set(self._connections.values()))

    async def start(
        self, listen: Address, receive: Callable[[bytes, Hop], None], lost: Callable[[Hop, bool], None]
    ) -> None:
        """Listen, unless this is TLS without a certificate. OSError when the address is taken."""
        self._receive, self._lost = receive, lost
        self._address = listen
        if self.name == "TCP" or self._server is not None:
            family = socket.AF_INET6 if ":" in listen[0] else socket.AF_INET
            self._listener = socket.create_server(listen, family=family, backlog=128)
            self._listener.setblocking(False)
            self._address = self._listener.getsockname()[:2]
            self._later(self._accept_all(self._listener))
        self._sweep()

    def has(self, hop: Hop) -> bool:
        """There is a connection to this peer, or one on its way."""
        return self._key(hop) in self._connections

    def send(self, data: bytes, hop: Hop) -> None:
        """Send on the connection of this hop; open one where there is none. OSError when that is impossible."""
        connection = self._connections.get(self._key(hop))
        if connection is None:
            connection = self._open(hop)
        connection.write(data)

    def alias(self, hop: Hop, port: int) -> None:
        """Requests to `port` of this peer go by the connection it opened (RFC 5923); a known one keeps its place."""
        connection = self._connections.get(self._key(hop))
        if connection is not None:
            self._connections.setdefault((hop.host, port, ""), connection)

    def local_address(self, destination: Address) -> Address:
        host, port = self._address
        return (source_towards(destination[0]), port) if host in ("0.0.0.0", "::") else (host, port)

    async def close(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()
        for connection in set(self._connections.values()):
            connection.close()
        self._connections.clear()

    # Towards a peer --------------------------------------------------------------------------------

    def _open(self, hop: Hop) -> Connection:
        if not 0 < hop.port < 65536 or len(self._connections) >= self.limits.connections:
            raise OSError(f"no way to {hop}: a bad port, or too many connections")
        verify = self._client is not None and self._client.verify_mode is ssl.CERT_REQUIRED
        connection = self._new(hop, self._ended, (hop.name or hop.host) if verify else "")
        self._connections[self._key(hop)] = connection
        self._later(self._connect(connection))
        return connection

    async def _connect(self, connection: Connection) -> None:
        hop, host = connection.hop, self._address[0]
        local = None if host in ("0.0.0.0", "::", "") else (host, 0)
        allowed = self.limits.connect_s + (self.limits.handshake_s if self._client else 0)
        name = (hop.name or hop.host) if self._client else None
        try:
            async with asyncio.timeout(allowed):
                await asyncio.get_running_loop().create_connection(
                    lambda: connection, hop.host, hop.port, ssl=self._client, local_addr=local, server_hostname=name
                )
        except (OSError, TimeoutError) as error:
            if (count := self._log_failed.due(asyncio.get_running_loop().time())) is not None:
                reason = error or "it took too long"
                log.warning("no %s connection to %s (%d since the last such line): %s", self.name, hop, count, reason)
            connection.fail()

    # From a peer -----------------------------------------------------------------------------------

    async def _accept_all(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, source = await loop.sock_accept(listener)
            except OSError as error:
                if self._log_accept.due(loop.time()) is not None:
                    log.warning("can't accept a %s connection: %s", self.name, error)
                await asyncio.sleep(0.2)
                continue
            if len(self._inbound.get(source[0], ())) < self.limits.per_source and self._has_room():
                connection = self._new(Hop(self.name, source[0], source[1]), self._left)
                self._inbound.setdefault(source[0], set()).add(connection)
                self._connections[self._key(connection.hop)] = connection  # answers find their way back at once
                self._later(self._admit(accepted, connection))
            else:
                self.refused += 1
                accepted.close()

    def _has_room(self) -> bool:
        """Where every place is taken, the peer that has been quiet for longest leaves: it may come again."""
        if len(self._connections) >= self.limits.connections:
            strangers = [connection for group in self._inbound.values() for connection in group]
            if not strangers:
                return False
            min(strangers, key=lambda connection: connection.quiet_since).fail()
        return True

    async def _admit(self, accepted: socket.socket, connection: Connection) -> None:
        allowed = self.limits.handshake_s if self._server else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection, accepted, ssl=self._server, ssl_handshake_timeout=allowed
            )
        except (OSError, TimeoutError) as error:
            log.debug("a %s connection from %s came to nothing: %s", self.name, connection.hop, error)
            accepted.close()
            connection.fail()

    # Both ------------------------------------------------------------------------------------------

    def _new(self, hop: Hop, ended: Callable[[Connection, bool], None], wanted_name: str = "") -> Connection:
        return Connection(hop, self.limits, self._receive, ended, wanted_name=wanted_name)

    def _left(self, connection: Connection, opened: bool) -> None:
        """A connection that a peer had opened is over."""
        group = self._inbound[connection.hop.host]
        group.discard(connection)
        if not group:
            del self._inbound[connection.hop.host]
        self._ended(connection, opened)

    def _ended(self, connection: Connection, opened: bool) -> None:
        for key in [key for key, known in self._connections.items() if known is connection]:
            del self._connections[key]
        self._lost(connection.hop, opened)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        for connection in set(self._connections.values()):
            connection.check(loop.time())
        self._sweeping = loop.call_later(1.0, self._sweep)

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    def _key(hop: Hop) -> Key:
        return hop.host, hop.port, hop.name
