"""Media of calls: one clock, sockets, and the seam to whoever hears and speaks."""

from sip.media.lateness import Lateness
from sip.media.nat import SourceLatch
from sip.media.port import SILENCE, MediaPort
from sip.media.ports import PortPool, PortsExhaustedError
from sip.media.session import MediaSession
from sip.media.stats import MediaStats
from sip.media.wheel import MediaWheel

__all__ = [
    "SILENCE", "Lateness", "MediaPort", "MediaSession", "MediaStats", "MediaWheel", "PortPool",
    "PortsExhaustedError", "SourceLatch",
]
