"""A websocket ends with its session; limits fill again; neither remembers without bound."""

from __future__ import annotations

import pytest
from starlette.types import Message

from voicebot.console import limits, watch
from voicebot.console.limits import Limit
from voicebot.console.watch import LOOKED_EVERY_S, Watch


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(watch.time, "monotonic", clock)
    return clock


async def test_an_open_page_is_cut_off_when_its_session_is_over(clock: Clock) -> None:
    sent: list[Message] = []
    inside = True

    async def receive() -> Message:
        return {"type": "websocket.receive", "text": "3"}

    async def send(message: Message) -> None:
        sent.append(message)

    async def still_in() -> bool:
        return inside

    looking = Watch(still_in, receive, send)
    inside = False
    assert (await looking.receive())["type"] == "websocket.receive", "nobody looks at every word"
    clock.now += LOOKED_EVERY_S
    inside = True
    assert (await looking.receive())["type"] == "websocket.receive"
    inside = False
    clock.now += LOOKED_EVERY_S
    assert await looking.receive() == {"type": "websocket.disconnect", "code": 4401}
    assert [message["code"] for message in sent] == [4401]


async def test_the_end_of_a_websocket_passes_through(clock: Clock) -> None:
    async def receive() -> Message:
        return {"type": "websocket.disconnect", "code": 1001}

    async def never(*_: object) -> bool:
        raise AssertionError("asked after it ended")

    clock.now += 100
    assert (await Watch(never, receive, never).receive())["code"] == 1001  # type: ignore[arg-type]


def test_a_limit_lets_through_what_it_says_and_each_key_has_its_own() -> None:
    clock = Clock()
    limit = Limit(per_minute=60, burst=3, now=clock)
    assert [limit.take("a") for _ in range(3)] == [0, 0, 0]
    assert limit.take("a") == pytest.approx(1.0) and limit.take("b") == 0
    clock.now += 0.5
    assert limit.take("a") == pytest.approx(0.5)
    clock.now += 0.5
    assert limit.take("a") == 0
    clock.now += 3600
    assert [limit.take("a") == 0 for _ in range(4)] == [True, True, True, False], "no more than a burst is saved up"


def test_a_flood_of_keys_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_MOST_KEYS", 100)
    clock = Clock()
    limit = Limit(per_minute=1, burst=1, now=clock)
    for number in range(1000):
        clock.now += 0.001
        assert limit.take(f"address {number}") == 0
        assert len(limit._left) <= 101
    assert limit.take("address 999") > 0
