"""A real call on loopback with real RTP: each side hears what the other says, and digits arrive."""

from __future__ import annotations

import asyncio

from sip import Answered, Call, Dtmf, UserAgent
from sip.media import MediaSession, MediaWheel, PortPool

LOUD, SOFT = b"\x00\x40" * 160, b"\x00\x04" * 160


class Talker:
    """Says one level for ever and remembers the loudest it heard."""

    def __init__(self, frame: bytes) -> None:
        self.frame, self.loudest = frame, 0

    def exchange(self, received: bytes, tick: int) -> bytes:
        self.loudest = max(self.loudest, int.from_bytes(received[160:162], "little", signed=True))
        return self.frame


async def test_sound_and_digits_go_both_ways() -> None:
    wheel, ports = MediaWheel(), PortPool(23000, 23100)
    wheel.start()
    answered: asyncio.Queue[Call] = asyncio.Queue()

    def media() -> MediaSession:
        return MediaSession(wheel, "127.0.0.1", ports)

    async def take(call: Call) -> None:
        await call.answer()
        answered.put_nowait(call)

    alice = UserAgent(("127.0.0.1", 0), media_factory=media)
    bob = UserAgent(("127.0.0.1", 0), media_factory=media, on_incoming=take)
    await alice.start()
    await bob.start()
    try:
        async with asyncio.timeout(8):
            call = alice.call(f"sip:bob@127.0.0.1:{bob.address[1]}", from_uri="sip:alice@127.0.0.1")
            there = await answered.get()
            loud, soft = Talker(LOUD), Talker(SOFT)
            assert call.media is not None and there.media is not None
            call.media.set_port(loud)
            there.media.set_port(soft)
            async for event in call.events():
                if event == Answered():
                    break
            await asyncio.sleep(0.4)
            call.send_dtmf("5")
            async for event in there.events():
                if isinstance(event, Dtmf):
                    assert event.digit == "5"
                    break
            await call.hangup()
            assert soft.loudest > 12000 and 500 < loud.loudest < 2000
    finally:
        await alice.close()
        await bob.close()
        wheel.stop()
