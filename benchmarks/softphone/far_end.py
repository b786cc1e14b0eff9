"""Both far ends of a softphone: telephones on the line's side, browsers played by aiortc on the other.

A burst of tone is sent at a known time and looked for at the other end. The browser's packets are taken as they arrive,
before any buffer of the browser; the telephone's frames come out of its own jitter buffer, as in a direct call.
"""

from __future__ import annotations

import asyncio
import fractions
import functools
import time
from typing import Any

import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from av.packet import Packet

from sip.call import Call
from sip.events import Answered, Ended
from sip.media import MediaSession, MediaWheel, PortPool
from sip.user_agent import UserAgent
from voicebot.audio.frames import SILENCE
from voicebot.softphone.opus import OpusEncoder
from voicebot.softphone.peer import tap

LOUD = 4000
LOUD_BYTES = 25
BURST_FRAMES = 5
_T = np.arange(160) / 8000
_TONE = (14000 * np.sin(2 * np.pi * 1000 * _T)).astype("<i2").tobytes()


class Ear:
    """Tells when a burst begins; `heard` has the times (monotonic seconds)."""

    def __init__(self) -> None:
        self.heard: list[float] = []
        self._quiet = 100

    def listen(self, pcm: bytes) -> None:
        self.note(int(np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)).max(initial=0)) > LOUD)

    def note(self, loud: bool) -> None:
        if loud and self._quiet > 10:
            self.heard.append(time.monotonic())
        self._quiet = 0 if loud else self._quiet + 1


class Handset:
    """A telephone's port: silence, and a burst when it is told to."""

    def __init__(self) -> None:
        self.ear = Ear()
        self.said: list[float] = []
        self._burst = 0

    def burst(self) -> None:
        self._burst = BURST_FRAMES

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        self.ear.listen(received)
        if not self._burst:
            return None
        if self._burst == BURST_FRAMES:
            self.said.append(time.monotonic())
        self._burst -= 1
        return _TONE


@functools.cache
def _opus() -> tuple[list[bytes], list[bytes]]:
    """A burst and the silence around it, encoded once: a browser's own encoder is not what we measure."""
    encoder = OpusEncoder()
    frames = [SILENCE] * 20 + [_TONE] * BURST_FRAMES + [SILENCE] * 20
    packets = [bytes(packet) for tick, frame in enumerate(frames) for packet in encoder.encode(frame, tick)]
    return packets[20 : 20 + BURST_FRAMES], packets[-1:]


class Microphone(MediaStreamTrack):  # type: ignore[misc]  # aiortc carries no types
    """Opus in step with the clock: silence, and bursts."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.said: list[float] = []
        self._left: list[bytes] = []
        self._number, self._began = 0, time.monotonic()

    def burst(self) -> None:
        self._left = list(_opus()[0])

    async def recv(self) -> Packet[Any]:
        await asyncio.sleep(max(0.0, self._began + 0.02 * self._number - time.monotonic()))
        if len(self._left) == BURST_FRAMES:
            self.said.append(time.monotonic())
        packet = Packet(self._left.pop(0) if self._left else _opus()[1][0])
        packet.pts, packet.time_base = 160 * self._number, fractions.Fraction(1, 8000)
        self._number += 1
        return packet


class Browser:
    """One agent's browser; `ear` hears the packets as they come."""

    def __init__(self) -> None:
        self.connection, self.microphone, self.ear = RTCPeerConnection(), Microphone(), Ear()
        self.connection.addTrack(self.microphone)
        self.connection.on("connectionstatechange", self._changed)
        self._connected = asyncio.Event()

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return str(self.connection.localDescription.sdp)

    async def take(self, answer: str) -> None:
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
        tap(self.connection.getTransceivers()[0].receiver, self._packet)
        await asyncio.wait_for(self._connected.wait(), 20)

    def _changed(self) -> None:
        if self.connection.connectionState == "connected":
            self._connected.set()

    def _packet(self, stamp: int, payload: bytes) -> None:
        self.ear.note(len(payload) > LOUD_BYTES)  # silence takes a few bytes, a tone dozens


class Telephones:
    """Telephones on our own stack. Who is called answers at once."""

    def __init__(self) -> None:
        self.wheel = MediaWheel()
        ports = PortPool(46000, 47998)
        self.agent = UserAgent(
            ("127.0.0.1", 0),
            media_factory=lambda: MediaSession(self.wheel, "127.0.0.1", ports),
            on_incoming=self._take,
        )
        self.called: asyncio.Queue[Handset] = asyncio.Queue()

    async def start(self) -> None:
        await self.agent.start()
        self.wheel.start()

    async def close(self) -> None:
        await self.agent.close()
        self.wheel.stop()

    @property
    def uri(self) -> str:
        return "sip:telephone@{}:{}".format(*self.agent.address)

    async def dial(self, uri: str, ringing: Any = None) -> Handset:
        """Call, do what `ringing` says once it was sent, and talk."""
        call = self.agent.call(uri, from_uri=self.uri)
        if ringing is not None:
            await ringing()
        async for event in call.events():
            if isinstance(event, Answered):
                return _plugged(call)
            if isinstance(event, Ended):
                break
        raise RuntimeError(f"{uri} was not answered: {call.response and call.response.status}")

    async def _take(self, call: Call) -> None:
        await call.answer()
        self.called.put_nowait(_plugged(call))


def _plugged(call: Call) -> Handset:
    handset = Handset()
    assert call.media is not None
    call.media.set_port(handset)
    return handset
