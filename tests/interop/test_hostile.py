"""Whatever arrives on our ports, a call that stands goes on, and the next one is taken."""

from __future__ import annotations

import asyncio
import random
import socket

from voicebot.domain.journal import FactKind
from voicebot.telephony.probe import probe

from .installation import Installation
from .phone import Phone, loud_frames, phone

DATAGRAMS = 2000
INVITE = (
    b"INVITE sip:reception@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bK%d;rport\r\n"
    b"Max-Forwards: 70\r\nFrom: <sip:x@127.0.0.1>;tag=%d\r\nTo: <sip:reception@127.0.0.1>\r\nCall-ID: fuzz-%d\r\n"
    b"CSeq: 1 INVITE\r\nRequire: x-nothing\r\nContact: <sip:x@127.0.0.1:5099>\r\n"
    b"Content-Type: application/sdp\r\nContent-Length: 111\r\n\r\n"
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0 8\r\na=sendrecv\r\n"
)
METHODS = (b"OPTIONS", b"BYE", b"CANCEL", b"REGISTER", b"REFER", b"ACK", b"UPDATE", b"INFO", b"NOTIFY", b"FOO")


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One to eight bytes changed, a piece cut out or doubled, or the end missing."""
    body = bytearray(data)
    kind = chance.randrange(4)
    at = chance.randrange(len(body))
    if kind == 0:
        for _ in range(chance.randint(1, 8)):
            body[chance.randrange(len(body))] = chance.randrange(256)
    elif kind == 1:
        del body[at : at + chance.randint(1, 40)]
    elif kind == 2:
        body[at:at] = body[at : at + chance.randint(1, 200)] * chance.randint(1, 5)
    else:
        del body[at:]
    return bytes(body)


def sip_garbage(seed: int, count: int) -> list[bytes]:
    """Messages that are nearly right, of every method, and noise. What they require nobody has, so none is a call."""
    chance = random.Random(seed)
    garbage = []
    for number in range(count):
        if number % 4 == 0:
            garbage.append(chance.randbytes(chance.choice((0, 1, 2, 11, 12, 13, 100, 1400, 9000))))
            continue
        message = INVITE % (number, number, number)
        if number % 4 == 1:
            message = message.replace(b"INVITE", chance.choice(METHODS))
        garbage.append(mutated(message, chance))
    return garbage


def rtp_garbage(seed: int, count: int) -> list[bytes]:
    """RTP with impossible lengths, versions, types, sequence numbers and timestamps, and noise."""
    chance = random.Random(seed)
    garbage = []
    for _ in range(count):
        kind = chance.choice((0, 8, 13, 18, 72, 96, 101, 127))
        packet = bytes([0x80 | chance.randrange(16), kind | chance.choice((0, 0x80))]) + chance.randbytes(10)
        body = chance.randbytes(chance.choice((0, 1, 4, 160, 160, 161, 320, 1400)))
        noise = chance.randbytes(chance.randrange(200))
        garbage.append(mutated(packet + body, chance) if chance.random() < 0.7 else noise)
    return garbage


async def pour(datagrams: list[bytes], port: int, source: tuple[str, int] = ("127.0.0.1", 0)) -> None:
    """Send them all within about two seconds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gun:
        gun.bind(source)
        gun.setblocking(False)
        for number, datagram in enumerate(datagrams):
            gun.sendto(datagram, ("127.0.0.1", port))
            if number % 20 == 19:
                await asyncio.sleep(0.02)


async def hears_on(caller: Phone, seconds: float) -> int:
    """Frames that arrive at the caller in the next seconds."""
    before = len(caller.handset.heard)
    await asyncio.sleep(seconds)
    return (len(caller.handset.heard) - before) // 320


async def test_garbage_on_the_sip_port_disturbs_nobody(served: Installation) -> None:
    async with served.recording() as recording, phone() as caller:
        assert await caller.dial(served.uri) is None
        ours = recording()
        await pour(sip_garbage(1, DATAGRAMS), served.sip[1])
        assert await hears_on(caller, 0.5) >= 20
        said = await ours.has(FactKind.SAID, 30)
        assert said.data["heard_ms"] == said.data["total_ms"]
        await caller.hang_up()
    await ours.sealed()
    assert ours.of(FactKind.ENDED)[-1].data["by"] == "remote"
    await served.ready(40)  # a mutation may have been a call after all; nobody confirms it, so it ends


async def test_garbage_on_the_media_port_disturbs_nobody(served: Installation) -> None:
    async with served.recording() as recording, phone() as caller:
        assert await caller.dial(served.uri) is None
        assert caller.call is not None and caller.call.media is not None
        media = caller.call.media.remote[1]  # type: ignore[attr-defined]
        await pour(rtp_garbage(2, DATAGRAMS), media)
        assert await hears_on(caller, 0.5) >= 20
        said = await recording().has(FactKind.SAID, 30)
        assert said.data["heard_ms"] == said.data["total_ms"]
        assert loud_frames(caller.handset.heard) > 50
        await caller.hang_up()
    await recording().sealed()
    assert recording().of(FactKind.ENDED)[-1].data["by"] == "remote"
    assert await probe(served.sip) == 200
