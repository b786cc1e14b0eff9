"""The process under test, ours: the bare UDP echo, or the line with SIP, media, RTCP and recorder."""

import argparse
import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any, cast

import uvloop

from sip import Call, UserAgent
from sip.media import MediaSession, MediaWheel, PortPool
from voicebot.domain.clock import SystemClock
from voicebot.evidence.recorder import Recorder

RTP_PORTS = 24_000, 28_999


class Tape:
    """Says what it hears, and records both."""

    def __init__(self, recorder: Recorder, call: Call) -> None:
        self._recorder, self._call = recorder, call

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        assert self._call.media is not None
        self._recorder.tick(received, received, self._call.media.gap)
        return received


class BareEcho(asyncio.DatagramProtocol):
    """Sends every datagram straight back: no clock, no codec, no jitter buffer. The floor."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)  # uvloop's does not inherit from it

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self.transport.sendto(data, addr)


async def serve_line(port: int, folder: Path) -> None:
    wheel, pool = MediaWheel(), PortPool(*RTP_PORTS)
    wheel.start()

    async def take(call: Call) -> None:
        await call.answer()
        assert call.media is not None
        recorder = Recorder(folder / call.id, call.id, clock=SystemClock(), environment={})
        call.media.set_port(Tape(recorder, call))

    agent = UserAgent(("127.0.0.1", port), media_factory=lambda: MediaSession(wheel, "127.0.0.1", pool),
                      on_incoming=take)
    await agent.start()
    print(json.dumps({"port": agent.address[1]}), flush=True)


async def serve_echo(calls: int) -> None:
    pool = PortPool(*RTP_PORTS)
    ports = [pool.acquire() for _ in range(calls)]
    for port in ports:
        await asyncio.get_running_loop().create_datagram_endpoint(BareEcho, ("127.0.0.1", port))
    print(json.dumps({"ports": ports}), flush=True)


async def serve(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-line-") as folder:
        if options.kind == "echo":
            await serve_echo(options.calls)
        else:
            await serve_line(options.port, Path(folder))
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["echo", "line"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--calls", type=int, default=0)
    uvloop.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
