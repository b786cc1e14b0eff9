"""The attackers: datagrams, streams, TLS, RTP, and peers that speak SIP well and behave badly."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import Counter
from pathlib import Path

from benchmarks.fuzz.spoiling import Spoiler

#: An address that may call the victim; STRANGER may not.
CALLER = "127.0.0.9"
KINDS = ("spoiled", "spoiled", "spoiled", "torture", "torture", "noise", "replay", "sound", "cancel")
METHODS = ("INVITE", "OPTIONS", "BYE", "ACK", "INFO", "UPDATE", "REFER", "PRACK", "REGISTER", "DANCE")
#: Share of datagrams up to 59 kB; more of them and the kernel drops everything else before we can.
OVERSIZED = 0.01
TORTURE = Path(__file__).parents[2] / "tests" / "sip" / "torture"
SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.9\r\ns=-\r\nc=IN IP4 127.0.0.9\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 0 101\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)


def compose(
    method: str, number: int, port: int, *, protocol: str = "UDP", tag: str = "", call: int | None = None
) -> bytes:
    """A sound request."""
    body = SDP if method == "INVITE" else b""
    return (
        f"{method} sip:bot@127.0.0.1 SIP/2.0\r\n"
        f"Via: SIP/2.0/{protocol} {CALLER}:{port};branch=z9hG4bKx{number};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:attacker@{CALLER}>;tag=a{call or number}\r\nTo: <sip:bot@127.0.0.1>{tag}\r\n"
        f"Call-ID: attack{call or number}\r\nCSeq: {number} {method}\r\nContact: <sip:attacker@{CALLER}:{port}>\r\n"
        f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def answer_class(data: bytes) -> str:
    return data[8:9].decode("latin-1") + "xx" if data.startswith(b"SIP/2.0 ") else "request"


class Datagrams(asyncio.DatagramProtocol):
    """Spoiled messages, replays and misbehaving callers on one UDP socket."""

    def __init__(self, target: tuple[str, int], seed: int) -> None:
        self.sent: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self._target, self._spoiler = target, Spoiler(seed)
        self._seeds = [path.read_bytes() for path in sorted(TORTURE.glob("*.dat"))]
        self._history: list[bytes] = []
        self._number = seed * 1_000_000

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        self._port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.answers[answer_class(data)] += 1
        if data.startswith(b"SIP/2.0 200") and b" INVITE\r\n" in data:
            self._misbehave(data)

    def _misbehave(self, data: bytes) -> None:
        """An answered call: never acknowledged, acknowledged and forgotten, or ended twice."""
        lines = dict(line.split(b": ", 1) for line in data.split(b"\r\n\r\n")[0].split(b"\r\n")[1:] if b": " in line)
        tag = (b";tag=" + lines[b"To"].rpartition(b";tag=")[2]).decode("latin-1")
        call = int(lines[b"Call-ID"].removeprefix(b"attack"))
        conduct = call % 3
        if conduct:
            self.put("ack", compose("ACK", call, self._port, tag=tag, call=call))
        if conduct == 2:
            for again in (1, 1, 2):  # once, the same again, and a second one
                self.put("bye twice", compose("BYE", call + again, self._port, tag=tag, call=call))

    def put(self, kind: str, data: bytes) -> None:
        self.sent[kind] += 1
        self._transport.sendto(data[:60_000], self._target)

    def attack(self) -> None:
        self._number += 10
        chance, number = self._spoiler.chance, self._number
        kind = "oversized" if chance.random() < OVERSIZED else chance.choice(KINDS)
        method = chance.choice(METHODS)
        match kind:
            case "spoiled":
                data = self._spoiler.spoil(compose(method, number, self._port))
            case "torture":
                seed = chance.choice(self._seeds)
                data = self._spoiler.spoil(seed) if chance.random() < 0.7 else seed
            case "noise":
                data = self._spoiler.noise()
            case "replay" if self._history:
                data = chance.choice(self._history)
            case "oversized":
                data = compose(method, number, self._port) + b"x" * chance.choice((8_000, 30_000, 59_000))
            case "cancel":
                self.put("invite", compose("INVITE", number, self._port))
                data = compose("CANCEL", number, self._port)
            case _:
                data = compose(method, number, self._port)
        if len(self._history) < 200:
            self._history.append(data)
        self.put(kind, data)


class Media(asyncio.DatagramProtocol):
    """Runts, wrong sources, leaps and noise at the RTP and RTCP ports of the calls that stand."""

    def __init__(self, ports: list[int], seed: int) -> None:
        self.sent: Counter[str] = Counter()
        self._ports, self._spoiler = ports, Spoiler(seed)

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def attack(self) -> None:
        chance = self._spoiler.chance
        kind = chance.choice(("rtp", "rtp", "rtcp", "noise"))
        data = {"rtp": self._spoiler.rtp, "rtcp": self._spoiler.rtcp, "noise": self._spoiler.noise}[kind]()
        port = chance.choice(self._ports) + (kind == "rtcp") if self._ports else 9
        self.sent[f"media {kind}"] += 1
        self._transport.sendto(data, ("127.0.0.1", port))


async def stream(
    target: tuple[str, int], seed: int, tls: bool, until: float, sent: Counter[str], answers: Counter[str]
) -> None:
    """One connection after another: spoiled messages, lies about lengths, silence midway, broken handshakes."""
    spoiler, loop = Spoiler(seed), asyncio.get_running_loop()
    name = "tls" if tls else "tcp"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    number = seed * 1_000_000
    while loop.time() < until:
        handshakes = tls and spoiler.chance.random() < 0.6
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(3):
                reader, writer = await asyncio.open_connection(
                    *target, ssl=context if handshakes else None, local_addr=(CALLER, 0)
                )
            sent[f"{name} connection"] += 1
            reading = asyncio.ensure_future(_count(reader, answers))
            for _ in range(spoiler.chance.randint(0, 20)):
                if writer.transport.is_closing():
                    break
                number += 1
                data = compose(
                    spoiler.chance.choice(("OPTIONS", "INVITE", "BYE")), number, target[1], protocol=name.upper()
                )
                writer.write(data if spoiler.chance.random() < 0.5 else spoiler.spoil(data))
                sent[f"{name} message"] += 1
                await asyncio.sleep(0.005)
            await asyncio.sleep(spoiler.chance.choice((0, 0, 0.1, 1.0)))
            writer.transport.abort()
            reading.cancel()
        await asyncio.sleep(0.01)


async def _count(reader: asyncio.StreamReader, answers: Counter[str]) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            for piece in data.split(b"SIP/2.0 ")[1:]:
                if piece[:3].isdigit():
                    answers[piece[:1].decode() + "xx"] += 1
