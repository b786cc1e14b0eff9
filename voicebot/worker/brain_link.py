"""The brain's end of the tick protocol."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from voicebot.telemetry.cpu_clock import CLOCK
from voicebot.worker.brain import Brain
from voicebot.worker.ticks import Decoder, Hello, Tick, encode, encode_all

log = structlog.get_logger(__name__)

READ_BYTES = 256 * 1024
IDLE_S = 0.001
"""Who waited this long for the next tick has no backlog."""
STEPS_A_TICK = 24
"""An answer passes from hand to hand about so often before it is an order: with one step for each tick that waits, a
brain that is half a second behind would answer another half a second later."""


async def think(brain: Brain, path: Path, stop: asyncio.Event) -> None:
    """Serve the line at `path`, and the next one when it goes away, until `stop` is set.

    TickProtocolError: line and brain are not of the same release.
    """
    stopping = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            connected = await _connect(path, stop)
            if connected is not None:
                await _serve(brain, *connected, stopping)
    finally:
        stopping.cancel()


async def _serve(
    brain: Brain, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stopping: asyncio.Task[bool]
) -> None:
    writer.write(encode(Hello()))
    reading = asyncio.create_task(_read(brain, reader))
    writing = asyncio.create_task(_write(brain, writer))
    try:
        await asyncio.wait({reading, writing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (reading, writing):
            if task.done():
                task.result()
        log.info("the line is gone")
    except ConnectionError as error:
        log.warning("the line is gone", error=str(error))
    finally:
        reading.cancel()
        writing.cancel()
        writer.close()
        await brain.forget_all()


async def _connect(path: Path, stop: asyncio.Event) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    while not stop.is_set():
        try:
            return await asyncio.open_unix_connection(path)
        except (FileNotFoundError, ConnectionRefusedError):
            await asyncio.sleep(0.05)
    return None


async def _read(brain: Brain, reader: asyncio.StreamReader) -> None:
    decoder, clock = Decoder(), asyncio.get_running_loop().time
    while True:
        asked = clock()
        data = await reader.read(READ_BYTES)
        if not data:
            return
        waited = clock() - asked >= IDLE_S
        with CLOCK.part("link"):
            messages = list(decoder.feed(data))
        for at, message in enumerate(messages, 1):
            brain.take(message)
            if isinstance(message, Tick):  # a backlog must hold up neither the answers nor the conversations
                await _give_way(1 if waited and at == len(messages) else STEPS_A_TICK)


async def _give_way(steps: int) -> None:
    for _ in range(steps):
        await asyncio.sleep(0)


async def _write(brain: Brain, writer: asyncio.StreamWriter) -> None:
    while True:
        await brain.wait_outgoing()
        with CLOCK.part("link"):
            writer.write(encode_all(brain.outgoing()))
        await writer.drain()
