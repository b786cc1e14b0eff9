"""Phone: a telephone on our own SIP stack that records what it hears and says what it is given."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator

import numpy as np

from sip.call import Call
from sip.events import Answered, Ended
from sip.media import MediaSession, MediaWheel, PortPool
from sip.user_agent import UserAgent

FRAME_BYTES = 320


class Handset:
    """An audio port: `heard` grows by every frame, what `say` was given leaves frame by frame."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self._lips: deque[bytes] = deque()

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        self.heard += received
        return self._lips.popleft() if self._lips else None

    def say(self, pcm: bytes) -> None:
        starts = range(0, len(pcm), FRAME_BYTES)
        self._lips.extend(pcm[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0") for at in starts)

    @property
    def loud_ms(self) -> int:
        """How much of what was heard is more than line noise."""
        return 20 * loud_frames(self.heard)


class Phone:
    """One telephone with one call at a time."""

    def __init__(self, ip: str = "127.0.0.1") -> None:
        self._ip = ip
        self._wheel = MediaWheel()
        ports = PortPool(46000, 47998)
        self.agent = UserAgent((ip, 0), media_factory=lambda: MediaSession(self._wheel, ip, ports), name="phone")
        self.handset = Handset()
        self.call: Call | None = None

    async def dial(self, uri: str, within_s: float = 10.0) -> Ended | None:
        """Ring; None once it was answered, the end of the call if it was not."""
        self.call = self.agent.call(uri, from_uri=f"sip:caller@{self._ip}:{self.agent.address[1]}")
        async with asyncio.timeout(within_s):
            async for event in self.call.events():
                if isinstance(event, Answered):
                    assert self.call.media is not None
                    self.call.media.set_port(self.handset)
                    return None
                if isinstance(event, Ended):
                    return event
        raise AssertionError("a call without an end")

    async def ended(self, within_s: float) -> Ended:
        """Wait until the call is over."""
        assert self.call is not None
        async with asyncio.timeout(within_s):
            async for event in self.call.events():
                if isinstance(event, Ended):
                    return event
        raise AssertionError("a call without an end")

    async def hang_up(self) -> None:
        if self.call is not None:
            await self.call.hangup()


@contextlib.asynccontextmanager
async def phone(ip: str = "127.0.0.1") -> AsyncIterator[Phone]:
    one = Phone(ip)
    await one.agent.start()
    one._wheel.start()
    try:
        yield one
    finally:
        await one.agent.close()
        one._wheel.stop()


def loud_frames(pcm: bytes | bytearray, threshold: int = 250) -> int:
    """20 ms frames with a sample above about -42 dBFS."""
    samples = np.frombuffer(bytes(pcm[: len(pcm) // FRAME_BYTES * FRAME_BYTES]), "<i2").reshape(-1, FRAME_BYTES // 2)
    return int(np.count_nonzero(np.abs(samples.astype(np.int32)).max(axis=1, initial=0) > threshold))
