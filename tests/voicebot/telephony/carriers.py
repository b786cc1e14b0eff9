"""Carriers for tests: the far ends of trunks, on loopback, that do what the test says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from sip.auth import DigestServer
from sip.message import Request, parse_message
from voicebot.telephony.leg import CallLeg, LegEvent
from voicebot.telephony.sip_leg import SipLeg
from voicebot.telephony.sip_line import SipLine
from voicebot.telephony.trunk import Trunk

Takes = Callable[[SipLeg], Awaitable[None]]
HOST = "127.0.0.1"


def rtp_ports(number: int) -> tuple[int, int]:
    return 46000 + 60 * number, 46059 + 60 * number


async def answer(leg: SipLeg) -> None:
    await leg.answer()


def refuse(status: int, retry_after_s: int | None = None) -> Takes:
    async def take(leg: SipLeg) -> None:
        leg.reject(status, retry_after_s)

    return take


def ring_then(status: int) -> Takes:
    async def take(leg: SipLeg) -> None:
        leg.ring()
        await asyncio.sleep(0.05)
        leg.reject(status)

    return take


class Carrier:
    """The far end of one trunk; `taken` are the calls that reached it."""

    def __init__(self, number: int, takes: Takes, **line: Any) -> None:
        self.takes, self.taken = takes, list[SipLeg]()
        self.open = True
        self.line = SipLine(
            (HOST, 0), rtp_ports=rtp_ports(number), allowed=("127.0.0.0/8",), caller_id="carrier",
            on_incoming=self._take, refusal=lambda: None if self.open else 503, **line,
        )  # fmt: skip

    def trunk(self, name: str, **changes: Any) -> Trunk:
        made = Trunk(name, HOST, self.line.address[1], options_every_s=0.0, calls_per_second=100.0)
        return replace(made, **changes)

    async def _take(self, leg: CallLeg) -> None:
        assert isinstance(leg, SipLeg)
        self.taken.append(leg)
        await self.takes(leg)

    def header(self, name: str) -> str:
        return str(self.taken[-1].sip_call.headers.get(name))


class Registrar(asyncio.DatagramProtocol):
    """Takes REGISTER from who knows the password; answers nothing else."""

    def __init__(self) -> None:
        self._digest = DigestServer("test", {"bot": "right"}.get, b"secret", algorithms=("MD5",))
        self.contacts: list[str] = []
        self.port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        with contextlib.suppress(ValueError):
            message = parse_message(data)
            if isinstance(message, Request) and message.method == "REGISTER":
                self._transport.sendto(self._answer(message), addr)

    def _answer(self, request: Request) -> bytes:
        now = asyncio.get_running_loop().time()
        if self._digest.verify(request, now).username is None:
            return request.reply(401, to_tag="r", headers=self._digest.challenges(now)).encode()
        contact = request.headers.get("Contact") or ""
        self.contacts.append(contact)
        return request.reply(200, to_tag="r", headers=[("Contact", f"{contact};expires=300")]).encode()


@contextlib.asynccontextmanager
async def registrar() -> AsyncIterator[Registrar]:
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(Registrar, local_addr=(HOST, 0))
    try:
        yield protocol
    finally:
        transport.close()


@contextlib.asynccontextmanager
async def carriers(*takes: Takes, **line: Any) -> AsyncIterator[list[Carrier]]:
    made = [Carrier(number + 1, take, **line) for number, take in enumerate(takes)]
    for carrier in made:
        await carrier.line.start()
    try:
        yield made
    finally:
        for carrier in made:
            await carrier.line.close()


@contextlib.asynccontextmanager
async def line_over(trunks: Sequence[Trunk], **changes: Any) -> AsyncIterator[SipLine]:
    settings: dict[str, Any] = {
        "rtp_ports": rtp_ports(0), "allowed": (), "caller_id": "voicebot", "on_incoming": refuse(486),
        "refusal": lambda: None,
    }  # fmt: skip
    register = changes.pop("register", True)
    line = SipLine((HOST, 0), trunks=trunks, **(settings | changes))
    await line.start(register=register)
    try:
        yield line
    finally:
        await line.close()


async def story(leg: CallLeg, within_s: float = 5.0) -> list[LegEvent]:
    async with asyncio.timeout(within_s):
        return [event async for event in leg.events()]


async def until(kind: type[LegEvent], leg: CallLeg, within_s: float = 5.0) -> LegEvent:
    async with asyncio.timeout(within_s):
        async for event in leg.events():
            if isinstance(event, kind):
                return event
    raise AssertionError(f"the leg ended without {kind.__name__}")


async def eventually(is_so: Callable[[], bool], within_s: float = 5.0) -> None:
    for _ in range(int(within_s / 0.01)):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to be")
