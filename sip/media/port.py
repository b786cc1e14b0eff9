"""The seam between a call's media and whoever listens and speaks."""

from typing import Protocol

from sip.rtp.concealment import SILENCE

__all__ = ["SILENCE", "MediaPort"]


class MediaPort(Protocol):
    """Hears and speaks for one call, 20 ms at a time, in step with every other call of the wheel."""

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        """Called once per tick, on the media thread: it must not block and should take well under 1 ms.

        `received`: 320 bytes, s16le mono 8 kHz (concealed, or SILENCE, where nothing came). Returns 320 bytes
        to send, or None for silence. `tick` grows by one, or by more after a stall of the whole process.
        """
        ...
