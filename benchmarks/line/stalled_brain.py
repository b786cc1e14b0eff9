"""A brain that hangs on to its interpreter: reads its ticks only every now and then, and computes in between."""

import contextlib
import socket
import sys
import time
from typing import Final

from voicebot.worker.priority import stand_in_line
from voicebot.worker.ticks import Ack, Decoder, Hello, Tick, encode, encode_all

HELD_S: Final = 0.4
READING_S: Final = 0.02
"""How long it reads between two stalls; what waits then is a few hundred kilobytes."""


def think(path: str) -> None:
    """Serve the line at `path` for ever."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.connect(path)
    line.sendall(encode(Hello()))
    decoder = Decoder()
    while True:
        until = time.monotonic() + HELD_S
        while time.monotonic() < until:
            sum(range(1000))
        line.settimeout(READING_S)
        until = time.monotonic() + READING_S
        while time.monotonic() < until:
            try:
                data = line.recv(1 << 20)
            except TimeoutError:
                break
            if not data:
                return
            ticks = [message for message in decoder.feed(data) if isinstance(message, Tick)]
            line.sendall(encode_all([Ack(tick.number) for tick in ticks]))


if __name__ == "__main__":
    stand_in_line()  # as a child of the benchmark's line; the supervisor of a worker starts it so anyway
    with contextlib.suppress(ConnectionError):
        think(sys.argv[1])
