"""Real sockets with calls up: torture, IPv6 cases, lies on streams and bad manners change nothing for the calls."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sip import Call, CallState
from sip.flood import Allowance
from sip.transaction import Timing
from sip.user_agent import UserAgent
from tests.sip.laboratory import answer_at_once
from tests.sip.message.test_ipv6 import SOUND, UNSOUND

HOST = "127.0.0.1"
TORTURE = [path.read_bytes() for path in sorted((Path(__file__).parent / "torture").glob("*.dat"))]
#: 64*T1 is 1.3 s: what a peer leaves undone is noticed within the test.
BRISK = Timing(t1=0.02, t2=0.16, t4=0.2)
SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.5\r\ns=-\r\nc=IN IP4 127.0.0.5\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n"


class Bot:
    """An agent that answers everybody, with calls of its own that must stand."""

    def __init__(self) -> None:
        self.incoming: list[Call] = []
        self.agent = UserAgent((HOST, 0), media_factory=None, on_incoming=self._take, tcp=True, timing=BRISK)
        self.friend = UserAgent((HOST, 0), media_factory=None, tcp=True)
        self.calls: list[Call] = []

    async def _take(self, call: Call) -> None:
        if "peer@" in call.remote_uri or "friend@" in call.remote_uri:
            self.incoming.append(call)
            await answer_at_once(call)
        else:
            call.reject(486)

    @property
    def address(self) -> tuple[str, int]:
        return self.agent.address

    async def start(self) -> None:
        await self.agent.start()
        await self.friend.start()
        for transport in ("udp", "tcp"):
            uri = f"sip:bot@{HOST}:{self.address[1]};transport={transport}"
            self.calls.append(self.friend.call(uri, from_uri="sip:friend@example.com"))
        await self.until(lambda: all(call.state is CallState.CONFIRMED for call in self.calls))

    async def until(self, condition: object, within_s: float = 6.0) -> None:
        async with asyncio.timeout(within_s):
            while not condition():  # type: ignore[operator]  # noqa: ASYNC110  real sockets
                await asyncio.sleep(0.01)

    async def unharmed(self) -> None:
        """Both sides still stand, and can still be ended properly."""
        endpoint = self.agent._running
        assert endpoint.faults == 0
        assert all(call.state is CallState.CONFIRMED for call in [*self.calls, *self.incoming[:2]])
        await asyncio.gather(*(call.hangup() for call in self.calls))
        await self.until(lambda: all(call.state is CallState.ENDED for call in self.incoming[:2]))


@pytest_asyncio.fixture
async def bot() -> AsyncIterator[Bot]:
    bot = Bot()
    await bot.start()
    yield bot
    await asyncio.gather(bot.agent.close(), bot.friend.close())


def udp() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.5", 0))
    sock.setblocking(False)
    return sock


async def answers(sock: socket.socket, within_s: float = 0.3) -> list[bytes]:
    found: list[bytes] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while True:
                found.append(await asyncio.get_running_loop().sock_recv(sock, 65536))
    return found


def compose(method: str, port: int, *, call: str = "x", cseq: int = 1, to_tag: str = "", branch: str = "") -> bytes:
    to = f";tag={to_tag}" if to_tag else ""
    body = SDP if method == "INVITE" else ""
    return (
        f"{method} sip:bot@{HOST} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.5:{port};branch=z9hG4bK{branch or method}{cseq};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:peer@127.0.0.5>;tag=p\r\nTo: <sip:bot@{HOST}>{to}\r\nCall-ID: {call}\r\n"
        f"CSeq: {cseq} {method}\r\nContact: <sip:peer@127.0.0.5:{port}>\r\nContent-Type: application/sdp\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def tag_of(response: bytes) -> str:
    line = next(line for line in response.split(b"\r\n") if line.startswith(b"To:"))
    return line.rpartition(b";tag=")[2].decode()


async def test_every_torture_message_is_survived_and_answered_where_it_asks_for_an_answer(bot: Bot) -> None:
    sock, chance = udp(), random.Random(1)
    for data in [*TORTURE, *SOUND.values(), *UNSOUND.values()]:
        sock.sendto(data, bot.address)
        spoiled = bytearray(data)
        for _ in range(5):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        sock.sendto(bytes(spoiled), bot.address)
        await asyncio.sleep(0.002)
    probe = udp()
    probe.sendto(compose("OPTIONS", probe.getsockname()[1], call="after"), bot.address)
    assert (await answers(probe))[0].startswith(b"SIP/2.0 200")
    await bot.unharmed()


async def test_streams_that_lie_are_closed_one_by_one(bot: Bot) -> None:
    lies = [*TORTURE, b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x00" * 3000]
    for data in lies:
        _, writer = await asyncio.open_connection(*bot.address)
        writer.write(data)
        await asyncio.sleep(0.002)
        writer.transport.abort()
    half_open = [await asyncio.open_connection(*bot.address) for _ in range(50)]
    await bot.unharmed()
    for _, writer in half_open:
        writer.close()


async def test_a_caller_who_never_acknowledges_is_hung_up_on(bot: Bot) -> None:
    sock = udp()
    port = sock.getsockname()[1]
    sock.sendto(compose("INVITE", port, call="no-ack"), bot.address)
    await bot.until(lambda: len(bot.incoming) == 3 and bot.incoming[2].state is CallState.ENDED)
    heard = await answers(sock)
    assert sum(data.startswith(b"SIP/2.0 200") for data in heard) > 3, "the answer is repeated until then"
    assert any(data.startswith(b"BYE ") for data in heard)
    await bot.unharmed()


async def test_a_second_bye_gets_481_and_a_repeated_one_the_same_answer(bot: Bot) -> None:
    sock = udp()
    port = sock.getsockname()[1]
    sock.sendto(compose("INVITE", port, call="twice"), bot.address)
    tag = tag_of(next(data for data in await answers(sock) if data.startswith(b"SIP/2.0 200")))
    sock.sendto(compose("ACK", port, call="twice", to_tag=tag), bot.address)
    for cseq, status in ((2, b"200"), (2, b"200"), (3, b"481")):
        sock.sendto(compose("BYE", port, call="twice", cseq=cseq, to_tag=tag), bot.address)
        heard = [data for data in await answers(sock, 0.15) if b" BYE\r\n" in data]
        assert heard and all(data.startswith(b"SIP/2.0 " + status) for data in heard)
    assert bot.incoming[2].state is CallState.ENDED
    await bot.unharmed()


async def test_replayed_invites_make_one_call(bot: Bot) -> None:
    sock = udp()
    port = sock.getsockname()[1]
    invite = compose("INVITE", port, call="replay")
    for _ in range(100):
        sock.sendto(invite, bot.address)
    (tag,) = {tag_of(data) for data in await answers(sock) if data.startswith(b"SIP/2.0 200")}
    assert len(bot.incoming) == 3
    for cseq, method in ((1, "ACK"), (2, "BYE")):
        sock.sendto(compose(method, port, call="replay", cseq=cseq, to_tag=tag), bot.address)
    await bot.until(lambda: bot.incoming[2].state is CallState.ENDED)
    await bot.unharmed()


async def test_a_flood_from_one_address_is_dropped_unread(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sip.flood.STRANGER", Allowance(per_second=1, burst=20))
    sock = udp()
    for number in range(300):
        with contextlib.suppress(BlockingIOError):
            sock.sendto(compose("OPTIONS", 5060, call=f"flood{number}", cseq=number + 1), bot.address)
        if number % 20 == 0:
            await asyncio.sleep(0.01)
    await bot.until(lambda: bot.agent._running.flood.dropped > 200)
    await bot.unharmed()


def has_ipv6() -> bool:
    """Whether the kernel gives us ::1 at all; what our own stack can't do with it is a failure, not an excuse."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="!!! NO IPV6: the loopback of this machine has no ::1")
async def test_a_call_over_ipv6() -> None:
    callee = UserAgent(("::1", 0), media_factory=None, on_incoming=answer_at_once, tcp=True)
    await callee.start()
    caller = UserAgent(("::1", 0), media_factory=None, tcp=True)
    await caller.start()
    for transport in ("udp", "tcp"):
        uri = f"sip:bot@[::1]:{callee.address[1]};transport={transport}"
        call = caller.call(uri, from_uri="sip:me@[::1]")
        async with asyncio.timeout(5):
            async for _ in call.events():
                if call.state is not CallState.TRYING:
                    break
            while call.state is not CallState.CONFIRMED:  # noqa: ASYNC110  real sockets
                await asyncio.sleep(0.01)
        await call.hangup()
    await asyncio.gather(caller.close(), callee.close())
