"""The brain's end of the tick protocol: conversations go on while ticks wait to be heard."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

from voicebot.worker.brain_link import think
from voicebot.worker.ticks import Message, Tick, encode_all

STEPS = 20
"""From words to the order that answers them, a conversation gives way about so often."""
BACKLOG = 100


class SlowBrain:
    """Has something to say since its first tick, and takes some steps until it is said."""

    def __init__(self) -> None:
        self.ticks = 0
        self.said_at: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._talking: asyncio.Task[None] | None = None

    def take(self, message: Message) -> None:
        assert isinstance(message, Tick)
        self.ticks += 1
        if self._talking is None:
            self._talking = asyncio.create_task(self._talk())

    async def _talk(self) -> None:
        for _ in range(STEPS):
            await asyncio.sleep(0)
        self.said_at.set_result(self.ticks)

    async def wait_outgoing(self) -> None:
        await asyncio.Event().wait()

    async def forget_all(self) -> None:
        """It has no calls."""


async def test_a_backlog_of_ticks_holds_up_no_conversation(tmp_path: Path) -> None:
    """Every tick counts 20 ms and more in which the caller waits."""
    brain, stop, gone = SlowBrain(), asyncio.Event(), asyncio.Event()

    async def line(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(encode_all([Tick(number, ()) for number in range(BACKLOG)]))
        await gone.wait()
        writer.close()

    server = await asyncio.start_unix_server(line, tmp_path / "b.sock")
    thinking = asyncio.create_task(think(cast(Any, brain), tmp_path / "b.sock", stop))
    try:
        assert await asyncio.wait_for(brain.said_at, 60) <= BACKLOG // 20
    finally:
        stop.set()
        gone.set()
        await asyncio.wait_for(thinking, 60)
        server.close()
