"""LineProcess: what an earlier life left is sealed at the start, and never keeps the telephone from starting."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

from voicebot.config import Settings
from voicebot.domain.clock import SystemClock
from voicebot.domain.journal import FactKind
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
    await asyncio.wait_for(line._recover(), 60)
    assert bundle_path(whole).is_file()
    await line._store.close()
