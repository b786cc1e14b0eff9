"""Small recorded calls to damage."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest

from voicebot.domain.clock import SHANGHAI, FixedClock
from voicebot.domain.journal import FactKind
from voicebot.evidence.bundle import bundle_folder
from voicebot.evidence.recorder import Recorder
from voicebot.evidence.signer import Signer

START = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return Signer.load_or_create(tmp_path_factory.mktemp("keys"))


def record(root: Path, call_id: str = "call-1", ticks: int = 51) -> Recorder:
    """A call of `ticks` × 20 ms of noise with a few facts, not yet sealed."""
    clock, noise = FixedClock(START), random.Random(call_id)
    environment = {"script_sha256": "ab" * 32, "loss": 0.5}
    recorder = Recorder(bundle_folder(root, call_id, START), call_id, clock=clock, environment=environment)
    recorder.append(FactKind.STARTED, {"call_id": call_id})
    for tick in range(ticks):
        recorder.tick(noise.randbytes(320), noise.randbytes(320), tick % 10 == 3)
        clock.advance(dt.timedelta(milliseconds=20))
        if tick % 25 == 0:
            recorder.append(FactKind.HEARD, {"text": "喂，你好", "start_ms": 0, "end_ms": recorder.ms})
    recorder.append(FactKind.ENDED, {"by": "remote", "status": 200, "reason": "BYE"})
    return recorder


@pytest.fixture
def bundle(tmp_path: Path, signer: Signer) -> Path:
    """A sealed call of 1.02 s."""
    return record(tmp_path).seal(signer)
