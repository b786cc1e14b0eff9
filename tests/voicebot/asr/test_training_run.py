"""The whole recipe of the recogniser in small: killed in the middle it goes on, and ends where it would have ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("scipy")
pytest.importorskip("onnx")

import torch

from voicebot.asr.embedded import EmbeddedRecognizer
from voicebot.asr.training import speech, train
from voicebot.asr.training.network import BLANK
from voicebot.asr.training.tokens import syllables

SPEECH = {"shards": 1, "utterances": 80}
COURSE = {"shards": 1, "steps": 5, "rough": 3, "every": 2, "check": 2}
WITHIN_S = 900


def words(options: Mapping[str, object]) -> list[str]:
    return [str(word) for name, value in options.items() for word in (f"--{name}", value)]


def start(module: str, folder: Path, options: Mapping[str, object]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", f"voicebot.asr.training.{module}", *words(options)]
    environment = os.environ | {"VOICEBOT_TRAIN_DIR": str(folder), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(folder / "checkpoint.pt", weights_only=True)["average"]
    return found


@pytest.mark.slow
def test_the_recipe_survives_being_killed_and_makes_a_model(tmp_path: Path) -> None:
    folder, out = tmp_path / "run", tmp_path / "models"
    everything = COURSE | SPEECH | {"draws": 200, "out": out}
    killed = start("run", folder, everything)
    assert killed.stdout is not None
    for line in killed.stdout:
        if "check:" in line:
            killed.send_signal(signal.SIGKILL)
            break
    killed.wait(WITHIN_S)
    assert not (out / "embedded-asr.onnx").exists()
    again = start("run", folder, everything)
    told, _ = again.communicate(timeout=WITHIN_S)
    assert again.returncode == 0, told
    assert "step 2/8" not in told, "it began anew"
    assert torch.load(folder / "checkpoint.pt", weights_only=True)["step"] == 8

    whole = tmp_path / "whole"
    whole.mkdir()
    for file in folder.glob("train-000.*"):
        (whole / file.name).write_bytes(file.read_bytes())
    assert start("train", whole, COURSE).wait(WITHIN_S) == 0
    for name, value in weights(whole).items():
        assert torch.equal(weights(folder)[name], value), name

    stream = EmbeddedRecognizer(out).open()
    stream.accept(b"\0\0" * 8000)
    stream.finish()


def test_speech_that_cannot_be_made_ends_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "_ASKED_EVERY_S", 0.1)
    course = train.Course(tmp_path, 3, [BLANK, *syllables()])
    with pytest.raises(SystemExit, match="no more training speech"):
        train.train(course, 1, 5, 2, 2, alive=lambda: False)


def test_shards_too_small_for_a_batch_end_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "_ASKED_EVERY_S", 0.1)
    speech.generate(tmp_path, "train-000", 2, 1, lambda _: "好的", ("f3",))
    course = train.Course(tmp_path, 3, [BLANK, *syllables()])
    with pytest.raises(SystemExit, match="no more training speech"):
        train.train(course, 1, 5, 2, 2)


def test_a_speaker_nobody_waits_for_stops(tmp_path: Path) -> None:
    """A killed training leaves no speaker that writes the files of the next one."""
    say = (
        "import subprocess, sys;"
        "speaker = subprocess.Popen([sys.executable, '-m', 'voicebot.asr.training.speech', '--shards', '1']);"
        "print(speaker.pid, flush=True); speaker.wait()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", say],
        env=os.environ | {"VOICEBOT_TRAIN_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert parent.stdout is not None
    speaker = int(parent.stdout.readline())
    deadline = time.monotonic() + WITHIN_S
    while not list(tmp_path.glob("*.part")) and time.monotonic() < deadline:
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    while _runs(speaker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(speaker)


def _runs(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
