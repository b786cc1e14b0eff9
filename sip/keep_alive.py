"""Keeps a path to a peer open: a translator's binding or a connection (RFC 5626 section 4.4)."""

from __future__ import annotations

import contextlib

from sip.exchange import Clock
from sip.transport import Hop, TransportLayer


class KeepAlive:
    """Sends a double line break every so many seconds until `cancel`."""

    def __init__(self, clock: Clock, transport: TransportLayer, hop: Hop, every_s: float) -> None:
        self._clock, self._transport, self._hop, self._every_s = clock, transport, hop, every_s
        self._timer = clock.call_later(every_s, self._send)

    def cancel(self) -> None:
        self._timer.cancel()

    def _send(self) -> None:
        with contextlib.suppress(OSError):  # the way may be back the next time
            self._transport.keep_alive(self._hop)
        self._timer = self._clock.call_later(self._every_s, self._send)
