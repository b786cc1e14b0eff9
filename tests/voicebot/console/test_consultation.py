"""The third channel of a recording: as long as the call, for those who may listen."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi import HTTPException

from voicebot.console.consult_api import _wav
from voicebot.domain.clock import SystemClock
from voicebot.domain.journal import FactKind
from voicebot.evidence.bundle import bundle_folder
from voicebot.evidence.recorder import Recorder
from voicebot.evidence.signer import Signer


def recorded(root: Path, consulted: range) -> str:
    """A call of three and a half seconds; somebody was consulted in these ticks."""
    clock = SystemClock()
    folder = bundle_folder(root / "recordings", "c1", clock.now())
    recorder = Recorder(folder, "c1", clock=clock, environment={})
    for tick in range(175):
        recorder.tick(b"\1\0" * 160, b"\2\0" * 160, False, b"\3\0" * 160 if tick in consulted else None)
    recorder.append(FactKind.ENDED, {"by": "remote"})
    return str(recorder.seal(Signer.load_or_create(root / "keys")).relative_to(root / "recordings"))


def test_the_consultation_is_heard_where_it_was(tmp_path: Path) -> None:
    bundle = recorded(tmp_path, range(60, 120))
    with wave.open(io.BytesIO(_wav(tmp_path / "recordings", bundle))) as wav:
        assert (wav.getnchannels(), wav.getframerate()) == (1, 8000)
        sound = np.frombuffer(wav.readframes(wav.getnframes()), "<i2")
    assert len(sound) == 175 * 160
    assert np.flatnonzero(sound).tolist() == list(range(60 * 160, 120 * 160))


def test_where_nobody_was_consulted_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(HTTPException, match="404: nobody was consulted"):
        _wav(tmp_path / "recordings", recorded(tmp_path, range(0)))
    with pytest.raises(HTTPException, match="404"):
        _wav(tmp_path / "recordings", "../c1.zip")


def test_the_route_is_there_for_calls_that_are_known(admin: httpx.Client) -> None:
    assert admin.get("/api/calls/none/consultation").status_code == 404
    assert "nobody was consulted" in admin.get("/api/calls/call-0000/consultation").text
