"""A 2xx to an INVITE is repeated end to end until its ACK comes (RFC 3261 section 13.3.1.4)."""

from __future__ import annotations

from collections.abc import Callable

from sip.exchange import Clock, TimerHandle
from sip.transaction import Timing


class RepeatUntilAck:
    """Calls `send` now and at T1, 2*T1 … T2 intervals until `stop`; after 64*T1 calls `give_up` instead.

    `ceiling` takes the place of T2, in seconds.
    """

    def __init__(
        self,
        clock: Clock,
        timing: Timing,
        send: Callable[[], None],
        give_up: Callable[[], None],
        *,
        ceiling: float | None = None,
    ) -> None:
        self._clock, self._send, self._give_up = clock, send, give_up
        self._ceiling = timing.t2 if ceiling is None else ceiling
        self._until = clock.time() + timing.patience
        self._timer: TimerHandle | None = None
        self._again(timing.t1)

    @property
    def is_waiting(self) -> bool:
        return self._timer is not None

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _again(self, interval: float) -> None:
        self._timer = None
        left = self._until - self._clock.time()
        if left <= 0:
            self._give_up()
            return
        self._timer = self._clock.call_later(min(interval, left), lambda: self._again(min(2 * interval, self._ceiling)))
        self._send()
