"""Supervisor: brings back what dies, more slowly when it keeps dying, and ends what does not want to end."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from voicebot.worker.supervisor import FAST_DEATH_S, LONGEST_PAUSE_S, Child, Supervisor, next_pause_s

SITTER = "import time; time.sleep(600)"
SLOW = "import time, signal; time.sleep(600)"
LATE = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.5), exit(0)))\n"
STUBBORN = "import signal, time; time.sleep(600)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


@pytest.fixture
def module(tmp_path: Path) -> Callable[[str, str], Child]:
    """A child whose module is this source."""

    def make(name: str, source: str, patience_s: float = 5.0) -> Child:
        mark = f"open({str(tmp_path / name)!r}, 'a').write('.')\n"
        ears = {STUBBORN: DEAF, SLOW: LATE}.get(source, "")
        (tmp_path / f"vbchild_{name}.py").write_text(ears + mark + source)  # what is marked is ready to be told
        return Child(name, f"vbchild_{name}", patience_s=patience_s)

    return make


def supervisor(tmp_path: Path) -> Supervisor:
    return Supervisor({"PYTHONPATH": str(tmp_path)}, tmp_path / "log")


async def starts(tmp_path: Path, name: str, times: int, within_s: float = 60.0) -> None:
    """Wait until a child began so many times."""
    until = time.monotonic() + within_s
    mark = tmp_path / name
    while not mark.exists() or len(mark.read_text()) < times:
        assert time.monotonic() < until, f"{name} was not started {times} times"
        await asyncio.sleep(0.02)


async def test_what_dies_is_started_again(tmp_path: Path, module: Callable[..., Child]) -> None:
    keeper, child = supervisor(tmp_path), module("sitter", SITTER)
    keeper.start(child)
    await starts(tmp_path, "sitter", 1)
    assert child.process is not None
    first = child.process.pid
    os.kill(first, signal.SIGKILL)
    await starts(tmp_path, "sitter", 2)
    assert child.restarts == 1
    assert child.process.pid != first
    await keeper.stop(["sitter"])
    assert child.process.returncode == -signal.SIGTERM


async def test_what_keeps_dying_is_started_more_and_more_slowly(tmp_path: Path, module: Callable[..., Child]) -> None:
    keeper, child = supervisor(tmp_path), module("fragile", "raise SystemExit(3)")
    keeper.start(child)
    await starts(tmp_path, "fragile", 3)
    assert child.restarts >= 2
    assert child._pause_s >= next_pause_s(next_pause_s(0.0, 0.1), 0.1)
    began = time.monotonic()
    await keeper.stop(["fragile"])
    assert time.monotonic() - began < 3, "stopping waits for the pause"


def test_the_pause_grows_to_a_bound_and_is_forgotten_after_a_long_life() -> None:
    pauses = [0.0]
    for _ in range(12):
        pauses.append(next_pause_s(pauses[-1], 0.1))
    assert pauses == sorted(pauses) and pauses[1] > 0
    assert pauses[-1] == LONGEST_PAUSE_S
    assert next_pause_s(LONGEST_PAUSE_S, FAST_DEATH_S) == 0.0


async def test_what_cannot_be_started_now_is_started_later(tmp_path: Path, module: Callable[..., Child]) -> None:
    keeper = Supervisor({"PYTHONPATH": str(tmp_path)}, tmp_path / "not-yet" / "log")
    keeper.start(module("patient", SITTER))
    await asyncio.sleep(0.1)
    assert not (tmp_path / "patient").exists()
    (tmp_path / "not-yet").mkdir()
    await starts(tmp_path, "patient", 1)
    await keeper.stop(["patient"])


async def test_what_ignores_the_order_to_end_is_killed(tmp_path: Path, module: Callable[..., Child]) -> None:
    keeper, child = supervisor(tmp_path), module("stubborn", STUBBORN, patience_s=0.5)
    keeper.start(child)
    await starts(tmp_path, "stubborn", 1)
    await keeper.stop(["stubborn"])
    assert child.process is not None
    assert child.process.returncode == -signal.SIGKILL
    assert child.restarts == 0


async def test_children_are_stopped_together(tmp_path: Path, module: Callable[..., Child]) -> None:
    keeper = supervisor(tmp_path)
    children = [module(f"s{number}", STUBBORN, 3.0) for number in range(3)]
    for child in children:
        keeper.start(child)
    for child in children:
        await starts(tmp_path, child.name, 1)
    began = time.monotonic()
    await keeper.stop([child.name for child in children])
    assert time.monotonic() - began < 8.5, "one after another"
    assert all(child.process is not None and child.process.returncode is not None for child in children)


async def test_one_group_is_gone_before_the_next_is_told(tmp_path: Path, module: Callable[..., Child]) -> None:
    keeper = supervisor(tmp_path)
    slow = module("slow", SLOW)
    last = module("last", SITTER)
    for child in (slow, last):
        keeper.start(child)
        await starts(tmp_path, child.name, 1)
    stopping = asyncio.create_task(keeper.stop(["slow"], ["last"]))
    assert slow.process is not None and last.process is not None
    await slow.process.wait()
    assert slow.process.returncode == 0
    assert last.process.returncode is None
    await stopping
    assert last.process.returncode == -signal.SIGTERM
