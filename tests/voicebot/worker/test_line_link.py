"""The line's end of the tick protocol: when a brain counts as lost, and what happens to sound nobody fetches."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytest_asyncio

from voicebot.domain.talk import Flush, Gone, Order, PickedUp, Stored
from voicebot.worker import line_link
from voicebot.worker.line_link import BEHIND_MS, HUNG_MS, LOST_MS, BrainLink
from voicebot.worker.ticks import Ack, Decoder, Hello, Message, Sound, Tick, encode


class Line:
    """A BrainLink, what it told its owner, and a clock that the test moves."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.orders: list[Order] = []
        self.sounds: list[Sound] = []
        self.lost: list[int] = []
        self.ended: list[int] = []
        self.link = BrainLink(self.orders.append, self.sounds.append, self.lost.append, self.ended.append)
        self.now = 1000.0
        self._decoder = Decoder()

    async def brain(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_unix_connection(self.path)
        writer.write(encode(Hello()))
        assert await self.read(reader) == [Hello()]
        return reader, writer

    async def read(self, reader: asyncio.StreamReader) -> list[Message]:
        data = await asyncio.wait_for(reader.read(1 << 20), 60)
        return list(self._decoder.feed(data))

    async def work(self) -> None:
        """Let the sockets work."""
        for _ in range(50):
            await asyncio.sleep(0.001)


@pytest_asyncio.fixture
async def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Line]:
    clock = SimpleNamespace(monotonic=lambda: 1000.0)
    monkeypatch.setattr(line_link, "time", clock)
    one = Line(tmp_path / "b.sock")
    clock.monotonic = lambda: one.now
    await one.link.listen(one.path)
    yield one
    await one.link.close()


async def alive(line: Line) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await line.brain()
    line.link.tick(0)
    writer.write(encode(Ack(0)))
    await line.work()
    assert line.link.alive
    return reader, writer


async def test_a_brain_is_alive_only_once_it_answers_ticks(line: Line) -> None:
    assert not line.link.alive
    await line.brain()
    line.link.tick(0)
    await line.work()
    assert not line.link.alive, "connected is not yet ready"


async def test_reports_and_frames_of_a_tick_travel_together_and_in_order(line: Line) -> None:
    reader, _ = await line.brain()
    line.link.frame(7, b"\x01" * 320)
    line.link.report(PickedUp(7))
    line.link.report(Gone(6))
    line.link.tick(41)
    assert await line.read(reader) == [PickedUp(7), Gone(6), Tick(41, ((7, b"\x01" * 320),))]


async def test_half_a_second_without_an_answer_is_a_lost_brain_once(line: Line) -> None:
    await alive(line)
    for number in range(1, 60):
        line.now += 0.02
        line.link.tick(number)
        silent_ms = round((number - 1) * 20)
        assert line.lost == ([] if silent_ms < LOST_MS else line.lost[:1]), silent_ms
    assert len(line.lost) == 1
    assert LOST_MS <= line.lost[0] <= LOST_MS + 20
    assert not line.link.alive


async def test_a_brain_that_answers_late_but_steadily_is_slow_and_not_lost_until_it_is_too_late(line: Line) -> None:
    _, writer = await alive(line)
    answered = 0.0
    for number in range(1, BEHIND_MS // 10 + 30):
        line.now += 0.02
        line.link.tick(number)
        answered += 0.5  # it takes twice as long as it may, and falls behind by a second in two
        writer.write(encode(Ack(int(answered))))
        await asyncio.sleep(0.002)
        behind_ms = (number - int(answered)) * 20
        if behind_ms < BEHIND_MS - 100:
            assert line.link.alive, f"{behind_ms} ms behind"
    assert not line.link.alive
    assert len(line.lost) == 1


async def test_a_slow_brain_that_falls_silent_is_lost_as_soon_as_any(line: Line) -> None:
    _, writer = await alive(line)
    for number in range(1, 31):
        line.now += 0.02
        line.link.tick(number)
        writer.write(encode(Ack(number // 2)))
        await asyncio.sleep(0.002)
    assert line.link.alive
    for number in range(31, 31 + LOST_MS // 20 + 2):
        line.now += 0.02
        line.link.tick(number)
    assert not line.link.alive


async def test_a_brain_that_catches_up_is_alive_again(line: Line) -> None:
    _, writer = await alive(line)
    for number in range(1, 41):
        line.now += 0.02
        line.link.tick(number)
    assert line.lost
    line.now += 0.06
    writer.write(encode(Ack(1)))
    await line.work()
    assert not line.link.alive, "it answered a tick that is more than half a second old"
    writer.write(encode(Ack(38)))
    await line.work()
    assert line.link.alive
    assert line.link.lag_ms == pytest.approx(100)


async def test_a_stall_of_the_line_is_not_the_brains_fault(line: Line) -> None:
    _, writer = await alive(line)
    line.link.tick(1)
    line.now += 30
    line.link.tick(2)  # before the answers that came meanwhile are read
    assert (line.lost, line.ended) == ([], [])
    writer.write(encode(Ack(2)))
    await line.work()
    assert line.link.alive


async def test_a_brain_that_hangs_is_ended_once(line: Line) -> None:
    await alive(line)
    for number in range(1, 600):
        line.now += 0.02
        line.link.tick(number)
        assert line.ended == ([] if number * 20 < HUNG_MS else line.ended[:1])
    assert line.ended == [os.getpid()], "the process at the other end of the socket, which here is this one"


async def test_a_brain_that_goes_away_is_lost_at_once(line: Line) -> None:
    _, writer = await alive(line)
    writer.close()
    await line.work()
    assert line.lost == [0]
    assert not line.link.alive
    line.link.report(PickedUp(1))
    line.link.tick(1)  # nobody there: no error, nothing kept
    reader, _ = await line.brain()
    line.link.tick(2)
    assert await line.read(reader) == [Tick(2, ())]


async def test_a_brain_that_speaks_another_protocol_is_cut_off(line: Line) -> None:
    _, writer = await alive(line)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    await line.work()
    assert line.lost == [0]


async def test_ticks_nobody_fetches_are_dropped_and_reports_are_not(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_link, "MOST_WAITING", 64 * 1024)
    reader, _ = await line.brain()
    for number in range(4000):
        line.link.frame(1, bytes(320))
        line.link.tick(number)
    line.link.report(Gone(1))
    line.link.tick(4000)
    assert line.link.ticks_dropped > 0
    got: list[Message] = []
    while Gone(1) not in got:
        got += await line.read(reader)
    ticks = [message.number for message in got if isinstance(message, Tick)]
    assert ticks == sorted(ticks)
    assert len(ticks) == 4001 - line.link.ticks_dropped


async def test_prompts_left_with_the_line_outlive_the_brain(line: Line) -> None:
    _, writer = await line.brain()
    writer.write(encode(Sound(0, "apology", b"\x01\x02", False)) + encode(Sound(0, "apology", b"\x03\x04", True)))
    await line.work()
    assert line.link.stored("apology") is None, "half a prompt is none"
    writer.write(encode(Stored("apology", "非常抱歉")))
    writer.close()
    await line.work()
    assert line.link.stored("apology") == b"\x01\x02\x03\x04"


async def test_orders_and_sound_reach_the_line_and_a_report_does_not(line: Line) -> None:
    _, writer = await line.brain()
    writer.write(encode(Flush(3)) + encode(Sound(3, "u1", b"\x01\x02", True)) + encode(Gone(3)))
    await line.work()
    assert line.orders == [Flush(3)]
    assert line.sounds == [Sound(3, "u1", b"\x01\x02", True)]


async def test_a_new_brain_replaces_one_that_hangs(line: Line) -> None:
    old_reader, _ = await alive(line)
    reader, writer = await line.brain()
    line.link.tick(1)
    assert Tick(1, ()) in await line.read(reader)
    writer.write(encode(Ack(1)))
    await line.work()
    assert line.link.alive
    await asyncio.wait_for(old_reader.read(), 60)  # ends: the old connection is closed
    assert line.link.alive, "the end of the old connection took the new one down"
