"""A call outlives its brain; a call that was cut by a crash is sealed evidence all the same."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from voicebot.domain.journal import FactKind
from voicebot.evidence.reading import read_audio, read_journal
from voicebot.worker.line_link import LOST_MS

from .installation import Installation
from .phone import loud_frames, phone

pytestmark = pytest.mark.alone


async def test_a_call_outlives_its_brain(served: Installation) -> None:
    await served.send_agents_home()
    async with served.recording() as recording, phone() as caller:
        assert await caller.dial(served.uri) is None
        await recording().has(FactKind.SAYING)
        await asyncio.sleep(0.5)
        dead = served.kill("brain_process")
        lost = await recording().has(FactKind.BRAIN_LOST, 5.0)
        assert int(str(lost.data["silent_ms"])) < 500, "the closed socket was not noticed at once"
        heard = len(caller.handset.heard)
        apology = await recording().has(FactKind.SAID, 20, utterance_id="apology")
        assert apology.data["heard_ms"] == apology.data["total_ms"] > 2000
        assert loud_frames(caller.handset.heard[heard:]) > 50, "the caller heard no apology"
        await recording().has(FactKind.CALLBACK_BOOKED)
        assert (await caller.ended(25)).by == "remote"
    ours = recording()
    await ours.sealed()
    ended = ours.of(FactKind.ENDED)[-1]
    assert ended.data["by"] == "local"
    assert len(read_audio(ours.bundle)) // 8 >= apology.ms, "the recording stopped before the call did"
    await served.ready()
    assert served.pid_of("brain_process") != dead
    async with served.recording() as recording, phone() as caller:
        assert await caller.dial(served.uri) is None
        await recording().has(FactKind.SAID)


async def test_a_brain_that_hangs_is_replaced(served: Installation) -> None:
    async with served.recording() as recording, phone() as caller:
        assert await caller.dial(served.uri) is None
        await recording().has(FactKind.SAYING)
        hung = served.kill("brain_process", signal.SIGSTOP)
        lost = await recording().has(FactKind.BRAIN_LOST, 2.0)
        # The line's own clock: the first tick past the limit, at most one stall of the line itself later.
        assert LOST_MS <= int(str(lost.data["silent_ms"])) <= LOST_MS + 120
        await caller.hang_up()
    await recording().sealed()
    await served.ready()
    assert served.pid_of("brain_process") != hung


async def test_a_call_cut_by_a_crash_is_sealed(served: Installation) -> None:
    async with served.recording() as recording, phone() as caller:
        assert await caller.dial(served.uri) is None
        answered_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        await recording().has(FactKind.SAID, 30)
        ours = recording()
        killed = time.clock_gettime(time.CLOCK_BOOTTIME)
        dead = served.kill("line_process")
        born = _born_s(await _other_line(served, dead, 10.0))
        assert born - killed < 2.0, f"the line was started again after {born - killed:.1f} s"
        await ours.sealed(30)
        facts = read_journal(ours.bundle)
        assert facts[-1].kind is FactKind.ENDED
        assert facts[-1].data["by"] == "crash"
        assert [fact.kind for fact in facts].count(FactKind.SAID) == 1
        sound = read_audio(ours.bundle)
        assert loud_frames(sound[:, 0].tobytes()) > 50, "our side of the sound is lost"
        assert len(sound) / 8000 > killed - answered_s - 1.0, "more than the last second of the sound is lost"
        await served.ready(30)
        assert await phone_is_taken(served)


async def _other_line(served: Installation, dead: int, within_s: float) -> int:
    """The new line's process id."""
    for _ in range(round(within_s / 0.02)):
        with contextlib.suppress(LookupError):
            if (pid := served.pid_of("line_process")) != dead:
                return pid
        await asyncio.sleep(0.02)
    raise AssertionError(f"no new line within {within_s} s")


def _born_s(pid: int) -> float:
    """When the kernel started a process, in seconds since boot, to 10 ms: field 22 of proc(5) stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


async def phone_is_taken(served: Installation) -> bool:
    async with phone() as caller:
        return await caller.dial(served.uri) is None
