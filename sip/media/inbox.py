"""All RTP sockets of a wheel: one question to the kernel tells which of them have something to read."""

import logging
import select
import socket
from collections.abc import Callable
from typing import Final

_MOST_PER_READ: Final = 64
"""Datagrams of one socket that are read in one tick; a flood waits, and is dropped by the kernel."""

log = logging.getLogger(__name__)


class Inbox:
    """Reads every socket in turn, one datagram each, until none has any.

    Asking each of them whether it has another would cost a system call per call and tick.
    """

    def __init__(self) -> None:
        self._poll = select.epoll() if hasattr(select, "epoll") else None
        self._readers: dict[int, Callable[[], object]] = {}
        self.failures = 0

    def add(self, sock: socket.socket, read: Callable[[], object]) -> None:
        """`read` takes one datagram from `sock`. Nothing happens where the kernel has no epoll."""
        if self._poll is not None and sock.fileno() not in self._readers:
            self._readers[sock.fileno()] = read
            self._poll.register(sock.fileno(), select.EPOLLIN)

    def remove(self, sock: socket.socket) -> None:
        """Forget a socket, before it is closed."""
        if self._poll is not None and self._readers.pop(sock.fileno(), None) is not None:
            self._poll.unregister(sock.fileno())

    def collect(self) -> bool:
        """Read what has come; False where the sessions must look for themselves."""
        if self._poll is None:
            return False
        for _ in range(_MOST_PER_READ if self._readers else 0):
            ready = self._poll.poll(0, len(self._readers))
            if not ready:
                break
            for handle, _ in ready:
                self._read(handle)
        return True

    def _read(self, handle: int) -> None:
        """One reader that fails must not keep the others from theirs."""
        try:
            self._readers[handle]()
        except Exception:
            self.failures += 1
            if self.failures < 10 or self.failures % 1000 == 0:
                log.exception("reading media failed (failure %d)", self.failures)
