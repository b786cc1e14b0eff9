"""A call outlives its brain; a call that was cut by a crash is sealed evidence all the same."""

from __future__ import annotations

import asyncio
import signal
import time

from voicebot.domain.journal import FactKind
from voicebot.evidence.reading import read_audio, read_journal

from .installation import Installation
from .phone import loud_frames, phone


async def test_a_call_outlives_its_brain(served: Installation) -> None:
    async with served.recording() as recording, phone() as caller:
        assert await caller.dial(served.uri) is None
        await recording().has(FactKind.SAYING)
        await asyncio.sleep(0.5)
        killed = time.monotonic()
        dead = served.kill("brain_process")
        await recording().has(FactKind.BRAIN_LOST, 1.0)
        assert time.monotonic() - killed < 1.0
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
        assert int(str(lost.data["silent_ms"])) >= 500
        await caller.hang_up()
    await recording().sealed()
    await served.ready()
    assert served.pid_of("brain_process") != hung


async def test_a_call_cut_by_a_crash_is_sealed(served: Installation) -> None:
    async with served.recording() as recording, phone() as caller:
        assert await caller.dial(served.uri) is None
        await recording().has(FactKind.SAID, 30)
        ours = recording()
        killed = time.monotonic()
        dead = served.kill("line_process")
        while _other_line(served, dead) is None:
            assert time.monotonic() - killed < 2.0, "the line was not started again within 2 s"
            await asyncio.sleep(0.02)
        await ours.sealed(30)
        facts = read_journal(ours.bundle)
        assert facts[-1].kind is FactKind.ENDED
        assert facts[-1].data["by"] == "crash"
        assert [fact.kind for fact in facts].count(FactKind.SAID) == 1
        assert loud_frames(read_audio(ours.bundle)[:, 0].tobytes()) > 50, "our side of the sound is lost"
        await served.ready(30)
        assert await phone_is_taken(served)


def _other_line(served: Installation, dead: int) -> int | None:
    try:
        pid = served.pid_of("line_process")
    except LookupError:
        return None
    return pid if pid != dead else None


async def phone_is_taken(served: Installation) -> bool:
    async with phone() as caller:
        return await caller.dial(served.uri) is None
