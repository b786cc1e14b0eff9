"""How long an Opus packet lasts, read from its first bytes (RFC 6716 section 3)."""

from __future__ import annotations

from typing import Final

CLOCK: Final = 48_000
LONGEST: Final = 5760
"""120 ms, the most that a packet may hold."""
_SILK, _HYBRID, _CELT = (480, 960, 1920, 2880), (480, 960), (120, 240, 480, 960)


def opus_duration(packet: bytes) -> int:
    """Samples at 48 kHz; 0 for what is no Opus packet."""
    if not packet:
        return 0
    configuration, code = packet[0] >> 3, packet[0] & 3
    frames = (1, 2, 2, packet[1] & 63 if len(packet) > 1 else 0)[code]
    samples = frames * _frame(configuration)
    return samples if samples <= LONGEST else 0


def _frame(configuration: int) -> int:
    if configuration < 12:
        return _SILK[configuration % 4]
    return _HYBRID[configuration % 2] if configuration < 16 else _CELT[configuration % 4]
