"""Local RTP ports: even, the longest unused first, and never straight after another call."""

import time
from collections import deque
from collections.abc import Callable


class PortsExhaustedError(RuntimeError):
    """No RTP port is free: the operator must widen the port range or lower the number of calls."""


class PortPool:
    """Even ports of a range; port + 1 belongs to the same call for RTCP (RFC 3550 section 11).

    A port rests `quarantine_s` after its call, so that packets still on their way to the old call are not
    heard in the next one.
    """

    def __init__(self, first: int, last: int, *, quarantine_s: float = 10.0,
                 clock: Callable[[], float] = time.monotonic) -> None:
        """`first` to `last` inclusive; ValueError if that holds no even port with its neighbour."""
        ports = range(first + first % 2, last, 2)
        if not ports or first < 1 or last > 65535:
            raise ValueError(f"RTP port range {first}-{last} holds no even port: give at least two ports")
        self._free = deque(ports)
        self._resting: deque[tuple[float, int]] = deque()
        self._used: set[int] = set()
        self._quarantine_s, self._clock = quarantine_s, clock

    def acquire(self) -> int:
        """An even port for one call; raises PortsExhaustedError."""
        self._wake()
        if not self._free:
            raise PortsExhaustedError(
                f"{len(self._used)} RTP ports are in use and {len(self._resting)} rest after a call: "
                "widen the RTP port range or lower the number of calls")
        port = self._free.popleft()
        self._used.add(port)
        return port

    def release(self, port: int) -> None:
        """Give a port back into quarantine; a second time is harmless."""
        if port in self._used:
            self._used.remove(port)
            self._resting.append((self._clock() + self._quarantine_s, port))

    @property
    def in_use(self) -> int:
        return len(self._used)

    @property
    def available(self) -> int:
        """Ports that could be acquired now."""
        self._wake()
        return len(self._free)

    def _wake(self) -> None:
        now = self._clock()
        while self._resting and self._resting[0][0] <= now:
            self._free.append(self._resting.popleft()[1])
