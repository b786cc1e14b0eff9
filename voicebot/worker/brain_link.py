"""The brain's end of the tick protocol."""

from __future__ import annotations

import asyncio
from pathlib import Path

from voicebot.worker.brain import Brain
from voicebot.worker.ticks import Decoder, Hello, encode, encode_all

READ_BYTES = 256 * 1024


async def think(brain: Brain, path: Path, stop: asyncio.Event) -> None:
    """The brain's end: connect to the line at `path` and serve it until it goes away or `stop` is set."""
    reader, writer = await _connect(path, stop)
    writer.write(encode(Hello()))
    reading = asyncio.create_task(_read(brain, reader))
    writing = asyncio.create_task(_write(brain, writer))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({reading, writing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for link in (reading, writing):
            if link.done():
                link.result()
    finally:
        reading.cancel()
        writing.cancel()
        stopping.cancel()
        brain.forget_all()
        writer.close()


async def _connect(path: Path, stop: asyncio.Event) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while not stop.is_set():
        try:
            return await asyncio.open_unix_connection(path)
        except (FileNotFoundError, ConnectionRefusedError):
            await asyncio.sleep(0.05)
    raise asyncio.CancelledError


async def _read(brain: Brain, reader: asyncio.StreamReader) -> None:
    decoder = Decoder()
    while data := await reader.read(READ_BYTES):
        for message in decoder.feed(data):
            brain.take(message)


async def _write(brain: Brain, writer: asyncio.StreamWriter) -> None:
    while True:
        await brain.wait_outgoing()
        writer.write(encode_all(brain.outgoing()))
        await writer.drain()
