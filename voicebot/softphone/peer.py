"""Peer: one browser's WebRTC connection. aiortc does ICE, DTLS and SRTP; Opus packets pass it untouched.

aiortc would decode in a thread per connection and hold back 80 ms, 320 after the first loss. The buffer and codecs of
`Headset` run in the 20 ms beat of the line instead; aiortc's receiver hands its packets over where its buffer was.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog
from aiortc import (
    InvalidStateError,
    MediaStreamTrack,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.exceptions import OperationError
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpsender import RTCRtpSender
from av.packet import Packet

from voicebot.domain.ice import IceServer

log = structlog.get_logger(__name__)

LARGEST_OFFER: Final = 64 * 1024
ANSWERED_WITHIN_S: Final = 8.0
"""A STUN or TURN server that says nothing for 5 s is left out of the answer by aioice."""
_QUEUED: Final = 10
"""Packets kept for a sender that does not get to run: 200 ms."""
_TAPPED: Final = "_RTCRtpReceiver__jitter_buffer"

OnPacket = Callable[[int, bytes], None]
OnState = Callable[[str], None]


class OfferError(ValueError):
    """The browser's offer can't be answered; the message says why."""


class Peer:
    """Answer an offer, then `send` packets; `on_packet(time stamp, Opus)` brings the browser's."""

    def __init__(self, servers: Sequence[IceServer], on_packet: OnPacket, on_state: OnState) -> None:
        ice = [RTCIceServer(urls=s.url, username=s.username, credential=s.password) for s in servers]
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=ice))
        self._mouth = _Mouth()
        self._on_packet = on_packet
        self._on_state = on_state
        self._connection.on("connectionstatechange", self._changed)

    @property
    def state(self) -> str:
        """As in the browser: new, connecting, connected, disconnected, failed, closed."""
        return str(self._connection.connectionState)

    async def answer(self, offer: str) -> str:
        """The SDP answer, with all our candidates in it. OfferError for an offer without usable sound."""
        if len(offer) > LARGEST_OFFER or not re.search(r"^m=audio ", offer, re.MULTILINE):
            raise OfferError("the offer holds no audio")
        try:
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                return await self._negotiate(offer)
        except TimeoutError as slow:
            raise OfferError("no answer was ready in time: see VOICEBOT_ICE_SERVERS") from slow
        except (ValueError, OperationError, InvalidStateError, AssertionError, KeyError, IndexError) as wrong:
            raise OfferError(f"the offer can't be answered: {wrong}") from wrong

    async def _negotiate(self, offer: str) -> str:
        connection = self._connection
        await connection.setRemoteDescription(RTCSessionDescription(sdp=offer, type="offer"))
        audio = next((one for one in connection.getTransceivers() if one.kind == "audio"), None)
        if audio is None:
            raise OfferError("the offer holds no audio")
        opus = [codec for codec in RTCRtpSender.getCapabilities("audio").codecs if codec.mimeType == "audio/opus"]
        audio.setCodecPreferences(opus)
        connection.addTrack(self._mouth)
        tap(audio.receiver, self._on_packet)
        await connection.setLocalDescription(await connection.createAnswer())
        return str(connection.localDescription.sdp)

    def send(self, packet: Packet[Any]) -> None:
        """An Opus packet to the browser; dropped while nothing is connected."""
        if self.state == "connected":
            self._mouth.put(packet)

    async def close(self) -> None:
        self._mouth.stop()
        await self._connection.close()

    def _changed(self) -> None:
        self._on_state(self.state)


def tap(receiver: object, on_packet: OnPacket) -> None:
    """Let a receiver's packets go to `on_packet` where its own jitter buffer stood.

    RuntimeError with an aiortc whose receiver is built otherwise.
    """
    if not hasattr(receiver, _TAPPED):
        raise RuntimeError("this version of aiortc keeps its packets elsewhere: install the one pyproject.toml names")
    setattr(receiver, _TAPPED, _Tap(on_packet))


class _Tap:
    """Has the one method of aiortc's jitter buffer; nothing ever comes out of it."""

    def __init__(self, on_packet: OnPacket) -> None:
        self._on_packet = on_packet

    def add(self, packet: Any) -> tuple[bool, None]:
        self._on_packet(packet.timestamp, packet._data)
        return False, None


class _Mouth(MediaStreamTrack):  # type: ignore[misc]  # aiortc carries no types
    """What the sender takes packets from; newest ones win."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._packets: asyncio.Queue[Packet[Any] | None] = asyncio.Queue()

    def put(self, packet: Packet[Any] | None) -> None:
        while self._packets.qsize() >= _QUEUED:
            self._packets.get_nowait()
        self._packets.put_nowait(packet)

    async def recv(self) -> Packet[Any]:
        packet = await self._packets.get()
        if packet is None:
            raise MediaStreamError
        return packet

    def stop(self) -> None:
        super().stop()
        self.put(None)
