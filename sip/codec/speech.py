"""What a speech codec is to the media of a call: 20 ms of 8 kHz PCM on one side, payloads on the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sip.codec.g711 import law

FRAME_BYTES = 320
"""20 ms of s16le mono at 8 kHz."""


class Speech(Protocol):
    """One stream's codec, with what it remembers of the stream."""

    @property
    def units(self) -> int:
        """RTP timestamp units in 20 ms."""
        ...

    @property
    def duration(self) -> Callable[[bytes], int]:
        """Payload -> timestamp units that it lasts; 0 for one that can't be read."""
        ...

    def decode(self, payload: bytes) -> bytes | None:
        """The next 20 ms as FRAME_BYTES; b"" asks for the rest of a longer payload. None: nothing to hear."""
        ...

    def encode(self, pcm: bytes) -> bytes:
        """FRAME_BYTES -> the payload of one packet."""
        ...


class CodecUnavailableError(RuntimeError):
    """This codec can't be used here: the operator must install PyAV, or take it out of the trunk's codecs."""


def speech(name: str) -> Speech:
    """The codec of an SDP encoding name for one stream. KeyError for one that we lack, CodecUnavailableError."""
    if name not in ("G722", "opus"):
        return law(name)
    from sip.codec.wideband import G722, Opus  # libav takes a while to load, and few lines speak these

    return G722() if name == "G722" else Opus()
