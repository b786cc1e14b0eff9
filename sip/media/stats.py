"""What one call's media has been through, as figures."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaStats:
    """A snapshot; all counts since the session was opened."""

    sent: int
    received: int
    lost: int
    late: int
    """Came after their turn and were not played."""
    concealed: int
    """Frames made up in place of missing ones."""
    discarded: int
    """Malformed, duplicate, of unknown payload type, or from a stranger."""
    jitter_ms: float
    """Interarrival jitter (RFC 3550 section 6.4.1)."""
    delay_ms: float
    """What the jitter buffer adds now."""
    silence_s: float
    """Since the last packet came (or the session was opened)."""
    far_lost: int | None
    """Packets the peer says it missed (RTCP); None if it never said."""
