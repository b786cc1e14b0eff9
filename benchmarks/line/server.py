"""The process under test: echoes the RTP of N calls, and tells its CPU time when asked.

Talks JSON lines: prints its ports, then answers each line on standard input with its figures so far.
"""

import argparse
import asyncio
import json
import sys
import time
from typing import Any, cast

from sip.media import MediaSession, MediaWheel, PortPool
from sip.sdp import Negotiated


class Mirror:
    """Says what it hears."""

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        return received


class BareEcho(asyncio.DatagramProtocol):
    """Sends every datagram straight back: no clock, no codec, no jitter buffer. The floor."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)  # uvloop's does not inherit from it

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self.transport.sendto(data, addr)


async def serve_sessions(calls: int, pool: PortPool) -> tuple[list[int], MediaWheel]:
    wheel = MediaWheel()
    wheel.start()
    ports = []
    for _ in range(calls):
        session = MediaSession(wheel, "127.0.0.1", pool, port=Mirror())
        await session.open()
        session.start(Negotiated(("127.0.0.1", 9), "PCMA", 8, 101))
        ports.append(session.local_port)
    return ports, wheel


async def serve_echo(calls: int, pool: PortPool) -> list[int]:
    ports = [pool.acquire() for _ in range(calls)]
    for port in ports:
        await asyncio.get_running_loop().create_datagram_endpoint(BareEcho, ("127.0.0.1", port))
    return ports


async def serve(kind: str, calls: int) -> None:
    pool, wheel = PortPool(24_000, 28_999), None
    if kind == "sessions":
        ports, wheel = await serve_sessions(calls, pool)
    else:
        ports = await serve_echo(calls, pool)
    print(json.dumps({"ports": ports}), flush=True)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        late = wheel.lateness if wheel else None
        print(json.dumps({
            "cpu_s": time.process_time(), "wall_s": time.monotonic(),
            "tick_late_p99_ms": late.quantile_ms(0.99) if late else None,
            "tick_late_worst_ms": late.worst_ms if late else None,
            "ticks_skipped": wheel.skipped if wheel else None}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["sessions", "echo"])
    parser.add_argument("calls", type=int)
    parser.add_argument("--loop", choices=["uvloop", "asyncio"], default="uvloop")
    options = parser.parse_args()
    if options.loop == "uvloop":
        import uvloop
        uvloop.run(serve(options.kind, options.calls))
    else:
        asyncio.run(serve(options.kind, options.calls))


if __name__ == "__main__":
    main()
