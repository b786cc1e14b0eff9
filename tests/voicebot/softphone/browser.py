"""Browser: the agent's side of a softphone, played by aiortc: it speaks a tone and measures what it hears."""

from __future__ import annotations

import asyncio
import contextlib
import fractions

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from numpy.typing import NDArray

from tests.voicebot.softphone.test_sound import strength

RATE = 48_000


class Tone(MediaStreamTrack):  # type: ignore[misc]  # aiortc carries no types
    """A sine of `hz` at 48 kHz, 20 ms at a time, in step with the clock."""

    kind = "audio"

    def __init__(self, hz: float, level: int = 8000) -> None:
        super().__init__()
        self._hz, self._level, self._number = hz, level, 0
        self._began = asyncio.get_running_loop().time()

    async def recv(self) -> av.AudioFrame:
        due = self._began + self._number * 0.02
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        t = (np.arange(960) + 960 * self._number) / RATE
        frame = av.AudioFrame(format="s16", layout="mono", samples=960)
        frame.planes[0].update((self._level * np.sin(2 * np.pi * self._hz * t)).astype("<i2").tobytes())
        frame.sample_rate, frame.time_base, frame.pts = RATE, fractions.Fraction(1, RATE), 960 * self._number
        self._number += 1
        return frame


class Browser:
    """`offer()` and `take(answer)`; `heard` grows while the far end speaks (48 kHz)."""

    def __init__(self, hz: float, configuration: RTCConfiguration | None = None) -> None:
        self.connection = RTCPeerConnection(configuration)
        self.connection.addTrack(Tone(hz))
        self.connection.on("track", self._listen)
        self.heard: list[NDArray[np.int16]] = []
        self._listening: asyncio.Task[None] | None = None

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return str(self.connection.localDescription.sdp)

    async def take(self, answer: str) -> None:
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
        for _ in range(100):
            if self.connection.connectionState == "connected":
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"the browser is {self.connection.connectionState}, not connected")

    async def close(self) -> None:
        await self.connection.close()
        if self._listening is not None:
            self._listening.cancel()

    def strength(self, hz: float, seconds: float = 0.5) -> float:
        """Amplitude of one frequency in what was heard last."""
        heard = np.concatenate(self.heard or [np.zeros(1, np.int16)])[-int(RATE * seconds) :]
        return strength(heard.astype("<i2").tobytes(), hz, RATE)

    def _listen(self, track: MediaStreamTrack) -> None:
        self._listening = asyncio.ensure_future(self._collect(track))

    async def _collect(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(Exception):
            while True:
                frame = await track.recv()
                self.heard.append(frame.to_ndarray().reshape(-1)[:: len(frame.layout.channels)])
