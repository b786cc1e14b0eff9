"""All transports of one user agent as one: which goes where, and which address of ours a peer is told."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from sip.errors import ResolveError
from sip.message import Uri, Via
from sip.transport.base import Address, Hop, TlsSettings, Transport, TransportName, as_hop
from sip.transport.resolver import resolve
from sip.transport.stream import StreamTransport
from sip.transport.tls import client_context, server_context

#: Networks whose peers reach us without a translator between: they are told the local address.
_LOCAL = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "::1/128", "fc00::/7",
         "fe80::/10"),
    )
)  # fmt: skip
#: Tries to find a port that is free for UDP and TCP, where any may be taken.
BIND_TRIES = 20
KEEP_ALIVE = b"\r\n\r\n"

Receive = Callable[[bytes, Hop], None]
Lost = Callable[[Hop, bool], None]


def is_local(host: str) -> bool:
    """The address belongs to a private network, this machine or this link."""
    address = ipaddress.ip_address(host.partition("%")[0])
    return any(address in network for network in _LOCAL if network.version == address.version)


class TransportLayer:
    """UDP always; TCP on the same port and TLS on its own where wanted. `public_address` is told to public peers."""

    def __init__(
        self,
        udp: Transport,
        *,
        tcp: bool = False,
        tls: TlsSettings | None = None,
        public_address: str | None = None,
    ) -> None:
        self._udp = udp
        self._public = public_address
        self._streams: dict[TransportName, StreamTransport] = {}
        if tcp:
            self._streams["TCP"] = StreamTransport("TCP")
        if tls is not None:
            self._streams["TLS"] = StreamTransport("TLS", server=server_context(tls), client=client_context(tls))

    @property
    def protocols(self) -> tuple[TransportName, ...]:
        return ("UDP", *self._streams)

    @property
    def address(self) -> Address:
        """Where we listen for UDP (and TCP)."""
        return self._udp.address

    def stream(self, name: TransportName) -> StreamTransport | None:
        return self._streams.get(name)

    async def start(self, listen: Address, tls_listen: Address | None, receive: Receive, lost: Lost) -> None:
        """Bind everything. OSError when an address is taken; nothing stays bound then."""
        try:
            await self._start_datagrams(listen, receive, lost)
            if (tls := self._streams.get("TLS")) is not None:
                host, port = self._udp.address
                await tls.start(tls_listen or (host, port + 1 if listen[1] else 0), receive, lost)
        except OSError:
            await self.close()
            raise

    async def _start_datagrams(self, listen: Address, receive: Receive, lost: Lost) -> None:
        def datagram(data: bytes, source: Address) -> None:
            receive(data, Hop("UDP", *source))

        tcp = self._streams.get("TCP")
        for attempt in range(BIND_TRIES):
            await self._udp.start(listen, datagram)
            if tcp is None:
                return
            try:
                await tcp.start(self._udp.address, receive, lost)
                return
            except OSError:
                await self._udp.close()
                if listen[1] or attempt == BIND_TRIES - 1:
                    raise

    def send(self, data: bytes, hop: Hop) -> None:
        """Send one message now, or once its connection stands. OSError when this hop is impossible."""
        if hop.protocol == "UDP":
            self._udp.send(data, hop.address)
        else:
            self._stream_for(hop).send(data, hop)

    def keep_alive(self, hop: Hop) -> None:
        """Keep a translator's binding or a connection open (RFC 5626 3.5.1). OSError when this hop is impossible."""
        self.send(KEEP_ALIVE, hop)

    def alias(self, hop: Hop, via: Via) -> None:
        """The sender takes requests to its address by this connection too (RFC 5923), if that address is its own."""
        if via.host.strip("[]") == hop.host and via.port and (stream := self._streams.get(hop.protocol)):
            stream.alias(hop, via.port)

    def has_connection(self, hop: Hop) -> bool:
        """True for UDP, which needs none."""
        return not hop.is_reliable or (hop.protocol in self._streams and self._streams[hop.protocol].has(hop))

    def sent_by(self, hop: Hop) -> Address:
        """Our address for the Via of a request to `hop`: the real one, whatever the peer is told elsewhere."""
        transport = self._udp if hop.protocol == "UDP" else self._stream_for(hop)
        return transport.local_address(hop.address)

    def local_address(self, where: Hop | Address) -> Address:
        """The address under which `where` can reach us: for Contact and SDP."""
        hop = as_hop(where)
        host, port = self.sent_by(hop)
        return (self._public, port) if self._public and not is_local(hop.host) else (host, port)

    async def resolve(self, uri: Uri) -> list[Hop]:
        """The hops that a URI leads to, best first, as far as our transports reach. Raises ResolveError."""
        is_v6 = ":" in self.address[0]
        hops = [hop for hop in await resolve(uri, self.protocols) if (":" in hop.host) == is_v6]
        if not hops:
            raise ResolveError(f"{uri.hostname} has no IPv{6 if is_v6 else 4} address, which is what we listen on")
        return hops

    async def close(self) -> None:
        for stream in self._streams.values():
            await stream.close()
        await self._udp.close()

    def _stream_for(self, hop: Hop) -> StreamTransport:
        if (stream := self._streams.get(hop.protocol)) is None:
            raise OSError(f"no way to {hop}: {hop.protocol} is not switched on")
        return stream
