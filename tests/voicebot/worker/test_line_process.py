"""LineProcess: what an earlier life left is sealed at the start, and never keeps the telephone from starting."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from voicebot.config import Settings
from voicebot.domain.clock import SystemClock
from voicebot.domain.fleet import WorkerSeen, WorkerState
from voicebot.domain.journal import FactKind
from voicebot.domain.records import Alert, CallRecord
from voicebot.evidence.bundle import bundle_folder, bundle_path
from voicebot.evidence.recorder import Recorder
from voicebot.store import Store
from voicebot.worker.line_process import LineProcess
from voicebot.worker.names import worker_name

START = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)


def cut_call(settings: Settings, call_id: str) -> Path:
    """The folder of a call whose process was killed."""
    folder = bundle_folder(settings.recordings, call_id, START)
    recorder = Recorder(folder, call_id, clock=SystemClock(), environment={"worker": worker_name(0)})
    recorder.append(FactKind.STARTED, {"call_id": call_id})
    recorder._files.close()
    return folder


async def test_a_recording_that_cannot_be_recovered_stops_neither_the_line_nor_the_others(
    store: Store, database_url: str, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path / "home")
    settings.keys.mkdir(parents=True)
    broken, whole = cut_call(settings, "broken"), cut_call(settings, "whole")
    bundle_path(broken).mkdir()
    line = LineProcess(settings, database_url, 0)
    await asyncio.wait_for(line._sealing.at_start(), 60)
    assert bundle_path(whole).is_file() and line._figures().unsealed == 1
    (alert,) = await told(store)
    assert alert.kind == "disk_full" and "1 通" in alert.text
    await line._store.close()


async def told(store: Store) -> list[Alert]:
    for _ in range(300):
        if alerts := await store.alerts.open():
            return alerts
        await asyncio.sleep(0.1)
    raise AssertionError("nobody was told")


@contextlib.asynccontextmanager
async def living(settings: Settings, database_url: str, store: Store) -> AsyncIterator[WorkerSeen]:
    """A line with no brain, in this process, from its joining to its leaving."""
    stop = asyncio.Event()
    running = asyncio.create_task(LineProcess(settings, database_url, 0, "a secret").run(stop))
    try:
        yield await until(store, lambda one: one.living and one.figures != {})
        stop.set()
        await asyncio.wait_for(running, 60)
    finally:
        running.cancel()


async def until(store: Store, wanted: Callable[[WorkerSeen], bool]) -> WorkerSeen:
    for _ in range(600):
        for one in await store.workers.all():
            if wanted(one):
                return one
        await asyncio.sleep(0.1)
    raise AssertionError(f"never seen so: {await store.workers.all()}")


async def test_a_line_joins_with_what_its_earlier_life_left_and_leaves_in_peace(
    store: Store, database_url: str, tmp_path: Path
) -> None:
    """One call can be sealed; of the other the disk knows nothing: nobody will ever tell how it ended."""
    settings = Settings(home=tmp_path / "home", sip_listen="127.0.0.1:0", rtp_ports="38000-38099")
    settings.keys.mkdir(parents=True)
    cut_call(settings, "sealed")
    for call_id in ("sealed", "vanished"):
        record = CallRecord(call_id, "inbound", "+8613800000000", START, worker=worker_name(0, settings.home))
        await store.calls.start(record)
    async with living(settings, database_url, store) as first:
        assert first.sip.startswith("127.0.0.1:") and not first.may_dial, "there is no brain to converse"
        sealed, vanished = await store.calls.find("sealed"), await store.calls.find("vanished")
        assert sealed is not None and (sealed.why, sealed.lost) == ("cut by a crash", False) and sealed.bundle
        assert vanished is not None and vanished.lost and not vanished.running
    assert (await until(store, lambda one: one.state is WorkerState.LEFT)).drained
    async with living(settings, database_url, store) as second:
        assert second.epoch > first.epoch and second.name == first.name
    again = await store.calls.find("sealed")
    assert again == sealed, "sealed and told once"
