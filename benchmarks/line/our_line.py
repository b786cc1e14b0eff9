"""The process under test, ours: the bare UDP echo, or the line with SIP, media, RTCP and recorder.

The line can have a brain beside it that hangs on to its interpreter for 400 ms at a time.
"""

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

import uvloop

from sip import Call, UserAgent
from sip.media import MediaSession, MediaWheel, PortPool
from voicebot.domain.clock import SystemClock
from voicebot.evidence.recorder import Recorder
from voicebot.worker.line_link import BrainLink

RTP_PORTS = 24_000, 28_999


class Tape:
    """Says what it hears, records both, and lets the brain hear it too where there is one."""

    def __init__(self, recorder: Recorder, call: Call, number: int, brain: BrainLink | None) -> None:
        self._recorder, self._call, self._number, self._brain = recorder, call, number, brain

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        assert self._call.media is not None
        self._recorder.tick(received, received, self._call.media.gap)
        if self._brain is not None:
            self._brain.frame(self._number, received)
        return received


class BareEcho(asyncio.DatagramProtocol):
    """Sends every datagram straight back: no clock, no codec, no jitter buffer. The floor."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)  # uvloop's does not inherit from it

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self.transport.sendto(data, addr)


async def stalled_brain(wheel: MediaWheel, path: Path) -> BrainLink:
    """The line's link to a brain that holds its interpreter for 400 ms at a time."""
    link = BrainLink(lambda order: None, lambda sound: None, lambda silent_ms: None)
    await link.listen(path)
    wheel.after(link.tick)
    await asyncio.create_subprocess_exec(sys.executable, "-m", "benchmarks.line.stalled_brain", str(path))
    return link


async def serve_line(port: int, folder: Path, *, with_brain: bool) -> None:
    wheel, pool = MediaWheel(), PortPool(*RTP_PORTS)
    wheel.start()
    brain = await stalled_brain(wheel, folder / "brain.sock") if with_brain else None
    numbers = itertools.count(1)

    async def take(call: Call) -> None:
        await call.answer()
        assert call.media is not None
        recorder = Recorder(folder / call.id, call.id, clock=SystemClock(), environment={})
        call.media.set_port(Tape(recorder, call, next(numbers), brain))

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
            await serve_line(options.port, Path(folder), with_brain=options.kind == "stalled")
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["echo", "line", "stalled"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--calls", type=int, default=0)
    uvloop.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
