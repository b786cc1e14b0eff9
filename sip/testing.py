"""For tests: a network that loses, delays and reorders on virtual time, and a peer that obeys."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from sip.message import CSeq, Headers, Message, NameAddr, Request, Response, Uri, Via, parse_message
from sip.transport import Address, Receive


class SimNetwork:
    """Datagrams between transports of one event loop. Seeded, so that a failure can be played again.

    `loss` is a probability; each datagram takes `delay_s` plus up to `jitter_s`, so jitter reorders.
    """

    def __init__(self, *, loss: float = 0.0, delay_s: float = 0.01, jitter_s: float = 0.0, seed: int = 0) -> None:
        self.loss, self.delay_s, self.jitter_s = loss, delay_s, jitter_s
        self.sent = 0
        self._chance = random.Random(seed)
        self._hosts: dict[Address, Receive] = {}
        self._last_arrival = 0.0

    def transport(self) -> SimTransport:
        return SimTransport(self)

    def attach(self, address: Address, receive: Receive) -> None:
        if address in self._hosts:
            raise OSError(f"{address} is taken")
        self._hosts[address] = receive

    def detach(self, address: Address) -> None:
        self._hosts.pop(address, None)

    def carry(self, data: bytes, source: Address, destination: Address) -> None:
        self.sent += 1
        if self._chance.random() < self.loss:
            return
        loop = asyncio.get_running_loop()
        at = loop.time() + self.delay_s + self._chance.random() * self.jitter_s
        if not self.jitter_s:
            # Timers of the same instant fire in any order; a network without jitter keeps its own.
            at = max(at, self._last_arrival + 1e-5)
        self._last_arrival = at
        loop.call_at(at, self._arrive, data, source, destination)

    def _arrive(self, data: bytes, source: Address, destination: Address) -> None:
        receive = self._hosts.get(destination)
        if receive is not None:
            receive(data, source)


class SimTransport:
    name = "UDP"

    def __init__(self, network: SimNetwork) -> None:
        self._network = network
        self._address: Address = ("", 0)

    @property
    def address(self) -> Address:
        return self._address

    async def start(self, listen: Address, receive: Receive) -> None:
        self._network.attach(listen, receive)
        self._address = listen

    def send(self, data: bytes, destination: Address) -> None:
        self._network.carry(data, self._address, destination)

    def local_address(self, destination: Address) -> Address:
        return self._address

    async def close(self) -> None:
        self._network.detach(self._address)


SDP = (
    "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 0 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
)


class ScriptedPeer:
    """A SIP peer without any behaviour of its own: the test says every message.

    `await peer.receive("INVITE")` or `receive(200)` waits for a message, skipping others; `heard` has all.
    """

    def __init__(self, network: SimNetwork, address: Address = ("192.0.2.99", 5060)) -> None:
        self.address = address
        self.heard: list[tuple[Message, Address]] = []
        self._network = network
        self._queue: asyncio.Queue[tuple[Message, Address]] = asyncio.Queue()
        self._branches = 0
        network.attach(address, self._take)

    def _take(self, data: bytes, source: Address) -> None:
        if not data.strip():
            return  # a keep-alive
        item = (parse_message(data), source)
        self.heard.append(item)
        self._queue.put_nowait(item)

    async def receive(self, wanted: str | int, within_s: float = 60.0) -> Message:
        """The next request of that method or response of that status. TimeoutError where none comes."""
        async with asyncio.timeout(within_s):
            while True:
                message, _ = await self._queue.get()
                if wanted == (message.method if isinstance(message, Request) else message.status):
                    return message

    async def request(self, method: str, within_s: float = 60.0) -> Request:
        message = await self.receive(method, within_s)
        assert isinstance(message, Request)
        return message

    async def response(self, status: int, within_s: float = 60.0) -> Response:
        message = await self.receive(status, within_s)
        assert isinstance(message, Response)
        return message

    def send(self, message: Message | bytes, destination: Address) -> None:
        data = message if isinstance(message, bytes) else message.encode()
        self._network.carry(data, self.address, destination)

    def reply(
        self,
        request: Request,
        status: int,
        *,
        sdp: str | None = None,
        tag: str = "peer",
        headers: Sequence[tuple[str, str]] = (),
        reason: str | None = None,
    ) -> None:
        """Answer the way of the topmost Via; `sdp` is a direction, which puts our usual SDP into the body."""
        fields = [("Contact", f"<{self.uri}>"), *headers]
        body = b"" if sdp is None else self.sdp(sdp)
        response = request.reply(status, reason, to_tag=tag, headers=fields, body=body)
        via = request.via
        self.send(response, (via.host, via.port or 5060))

    @property
    def uri(self) -> Uri:
        return Uri("sip", "peer", *self.address)

    def sdp(self, direction: str = "sendrecv") -> bytes:
        return SDP.format(ip=self.address[0], port=40000, direction=direction).encode()

    def compose(
        self,
        method: str,
        uri: str,
        *,
        call_id: str = "scripted",
        cseq: int = 1,
        to_tag: str | None = None,
        from_tag: str = "peer",
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        branch: str | None = None,
    ) -> Request:
        """A request with everything RFC 3261 demands; a fresh branch unless one is given."""
        self._branches += 1
        via = Via("UDP", *self.address, (("branch", branch or f"z9hG4bKscripted{self._branches}"),))
        to = NameAddr(Uri.parse(uri))
        fields = [
            ("Via", str(via)),
            ("Max-Forwards", "70"),
            ("To", str(to.with_tag(to_tag) if to_tag else to)),
        ]
        fields += [("From", str(NameAddr(self.uri).with_tag(from_tag))), ("Call-ID", call_id)]
        fields += [("CSeq", str(CSeq(cseq, method))), ("Contact", f"<{self.uri}>")]
        if body and not any(name == "Content-Type" for name, _ in headers):
            fields.append(("Content-Type", "application/sdp"))
        return Request(method, Uri.parse(uri), Headers([*fields, *headers]), body)
