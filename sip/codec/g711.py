"""G.711 A-law and mu-law by table lookup (ITU-T G.711, as computed by the reference code in G.191)."""

from collections.abc import Callable
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Encoding = Literal["PCMA", "PCMU"]

_UNSIGNED: Final = np.dtype("<u2")
_BYTES: Final = np.arange(256, dtype=np.int32)
_SAMPLES: Final = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)


def _bit_length(values: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.where(values > 0, np.floor(np.log2(np.maximum(values, 1))) + 1, 0).astype(np.int32)


def _alaw_expand() -> NDArray[np.int16]:
    code = _BYTES ^ 0x55
    segment, mantissa = (code >> 4) & 7, (code & 15) << 4
    magnitude = np.where(segment == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _alaw_compress() -> NDArray[np.uint8]:
    magnitude = np.where(_SAMPLES < 0, ~_SAMPLES, _SAMPLES) >> 4
    segment = np.maximum(_bit_length(magnitude) - 4, 0)
    code = (magnitude >> np.maximum(segment - 1, 0)) & 15 | segment << 4
    signed: NDArray[np.int32] = (code | np.where(_SAMPLES >= 0, 0x80, 0)) ^ 0x55
    return signed.astype(np.uint8)


def _ulaw_expand() -> NDArray[np.int16]:
    code = ~_BYTES & 0xFF
    magnitude = (((code & 15) << 3) + 0x84 << ((code >> 4) & 7)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _ulaw_compress() -> NDArray[np.uint8]:
    magnitude = np.minimum((np.where(_SAMPLES < 0, ~_SAMPLES, _SAMPLES) >> 2) + 33, 0x1FFF)
    segment = _bit_length(magnitude >> 6)
    code = (magnitude >> segment + 1) & 15 | segment << 4
    signed: NDArray[np.int32] = ~(code | np.where(_SAMPLES < 0, 0x80, 0)) & 0xFF
    return signed.astype(np.uint8)


class G711:
    """One of the two laws. One byte on the wire is one sample of 125 us. Remembers nothing: all calls share it."""

    units: Final = 160
    """RTP timestamp units in 20 ms."""

    def __init__(self, name: Encoding, payload_type: int, expand: NDArray[np.int16],
                 compress: NDArray[np.uint8]) -> None:
        self.name: Final = name
        self.duration: Final[Callable[[bytes], int]] = len
        self.payload_type: Final = payload_type
        """Static RTP payload type (RFC 3551 table 4)."""
        self._expand: NDArray[np.int16] = expand.astype("<i2")
        self._compress = compress
        self.silence: Final = int(compress[0])
        self.silent_frame: Final = bytes([self.silence]) * 160
        loudness: NDArray[np.int32] = np.abs(expand.astype(np.int32)) >> 7
        self.magnitude: Final = loudness.astype(np.uint8).tobytes()
        """bytes.translate table: code -> |sample| / 128. Tells loud from quiet without decoding."""

    def decode(self, payload: bytes) -> bytes:
        """Any number of codes -> s16le PCM at 8 kHz, twice as long."""
        # No index is out of range; mode="clip" only spares numpy the check, which is half of the time.
        return self._expand.take(np.frombuffer(payload, np.uint8), mode="clip").tobytes()

    def encode(self, pcm: bytes) -> bytes:
        """s16le PCM (an even number of bytes) -> one code per sample."""
        return self._compress.take(np.frombuffer(pcm, _UNSIGNED), mode="clip").tobytes()

    def recode_from(self, other: "G711") -> bytes:
        """bytes.translate table that turns codes of the other law into this one."""
        return self.encode(other.decode(bytes(range(256))))


PCMA: Final = G711("PCMA", 8, _alaw_expand(), _alaw_compress())
PCMU: Final = G711("PCMU", 0, _ulaw_expand(), _ulaw_compress())


def law(name: str) -> G711:
    """The codec of an SDP encoding name (in any case, RFC 8866 section 6.6); KeyError if not G.711."""
    return {"PCMA": PCMA, "PCMU": PCMU}[name.upper()]
