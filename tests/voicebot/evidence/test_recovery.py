"""A killed process leaves a call that can still be sealed and believed up to its last whole second."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import FactKind
from voicebot.evidence.bundle import SEALING, bundle_path, unsealed
from voicebot.evidence.reading import read_audio, read_journal, read_member
from voicebot.evidence.recovery import recover
from voicebot.evidence.signer import Signer
from voicebot.evidence.stored_zip import unzip, zip_bytes
from voicebot.evidence.verify import verify_bundle

from .conftest import START, record

CHILD = """
import sys, time
from pathlib import Path
from voicebot.domain.clock import SystemClock
from voicebot.domain.journal import FactKind
from voicebot.evidence.recorder import Recorder
from voicebot.evidence.signer import Signer
root, pause = Path(sys.argv[1]), float(sys.argv[2])
signer = Signer.load_or_create(root / "keys")
for call in range(1000):
    name = f"call-{call}"
    folder = root / "2026" / "11" / "24" / name
    recorder = Recorder(folder, name, clock=SystemClock(), environment={})
    print(name, flush=True)
    for tick in range(230):
        recorder.tick(bytes([tick]) * 320, bytes([255 - tick]) * 320, False)
        if tick % 5 == 0:
            recorder.append(FactKind.HEARD, {"text": "嗯", "tick": tick})
        time.sleep(pause)
    recorder.seal(signer)
"""


@pytest.mark.parametrize(
    ("alive_s", "pause_s"), [(0.0, 0.001), (0.11, 0.001), (0.35, 0.001), (0.2, 0), (0.33, 0)]
)
def test_kill_9_leaves_verifiable_calls(
    tmp_path: Path, signer: Signer, alive_s: float, pause_s: float
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path), str(pause_s)], stdout=subprocess.PIPE
    )
    assert child.stdout is not None and child.stdout.readline()
    time.sleep(alive_s)
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    left = list(unsealed(tmp_path))
    for folder in left:
        ran = {name: _bytes(folder / name) for name in ("audio.wav", "journal.jsonl")}
        bundle = recover(folder, signer, FixedClock(START))
        assert bundle is not None and verify_bundle(bundle).valid
        audio, facts = read_audio(bundle), read_journal(bundle)
        assert len(ran["audio.wav"]) - 44 - len(audio) * 4 < 8000 * 4 + 1, "no whole second is lost"
        kept = [fact for fact in facts if fact.kind is FactKind.HEARD]
        assert len(kept) == ran["journal.jsonl"].count(b'"heard"'), "no line is lost"
        ticks = audio[::160, 0].astype("<i2").view("u1")[::2]
        assert list(ticks) == [tick % 256 for tick in range(len(ticks))]
    sealed = list(tmp_path.glob("2026/11/24/*/*.zip"))
    assert sealed and all(verify_bundle(path).valid for path in sealed)
    assert not list(unsealed(tmp_path))


def _bytes(file: Path) -> bytes:
    """What a killed process left of a file; it may not have lived to make it."""
    return file.read_bytes() if file.exists() else b""


def test_a_running_call_is_left_alone(tmp_path: Path, signer: Signer) -> None:
    """Another worker that starts meanwhile must not seal it."""
    recorder = record(tmp_path, ticks=75)
    assert list(unsealed(tmp_path)) == []
    assert recover(recorder.folder, signer, FixedClock(START)) is None
    assert verify_bundle(recorder.seal(signer)).valid
    assert recover(recorder.folder, signer, FixedClock(START)) == bundle_path(recorder.folder)


def _interrupted(root: Path) -> Path:
    recorder = record(root, ticks=230)
    recorder._files.finish()
    recorder._files.close()
    return recorder.folder


def test_recovery_says_what_happened(tmp_path: Path, signer: Signer) -> None:
    folder = _interrupted(tmp_path)
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "journal.jsonl").write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    bundle = recover(folder, signer, FixedClock(START))
    assert bundle is not None and verify_bundle(bundle).valid
    assert len(read_audio(bundle)) == 4 * 8000
    facts = read_journal(bundle)
    assert [fact.kind for fact in facts[-2:]] == [FactKind.NOTE, FactKind.ENDED]
    assert facts[-1].data["by"] == "crash"
    manifest = json.loads(read_member(bundle, "manifest.json"))
    assert manifest["truncated_at"] == {"ms": 4000, "journal_lines": len(lines) - 1}
    assert (folder / "journal.jsonl.torn").read_bytes() == lines[-1][:20], "cut off, not thrown away"
    assert recover(folder, signer, FixedClock(START)) == bundle


def test_torn_and_damaged_tails_of_every_file(tmp_path: Path, signer: Signer) -> None:
    """Whatever happened to the ends of the files, what is left is sealed and verifies."""
    original, dice = _interrupted(tmp_path / "original"), random.Random(5)
    for number in range(40):
        folder = tmp_path / f"copy-{number}"
        shutil.copytree(original, folder)
        for name in ("audio.wav", "journal.jsonl", "chain.jsonl"):
            _damage_tail(folder / name, dice)
        bundle = recover(folder, signer, FixedClock(START))
        if bundle is not None:
            assert verify_bundle(bundle).failures == ()


def _damage_tail(path: Path, dice: random.Random) -> None:
    data = bytearray(path.read_bytes())
    if dice.random() < 0.6:
        del data[dice.randrange(len(data)) :]
    if data and dice.random() < 0.3:
        at = dice.randrange(len(data))
        data[at:] = bytes(len(data) - at)
    if dice.random() < 0.2:
        data += dice.randbytes(50)
    path.write_bytes(data)


def test_killed_between_the_last_row_and_the_zip(tmp_path: Path, signer: Signer) -> None:
    recorder = record(tmp_path, ticks=75)
    recorder._closed = True
    recorder._hand_over_second()
    recorder._files.finish()
    recorder._files.close()
    bundle = recover(recorder.folder, signer, FixedClock(START))
    assert bundle is not None and verify_bundle(bundle).valid and len(read_audio(bundle)) == 75 * 160
    ended = [fact.data["by"] for fact in read_journal(bundle) if fact.kind is FactKind.ENDED]
    assert ended == ["remote"], "the call had ended before the process did"


def test_killed_between_the_zip_and_the_removal_of_loose_files(tmp_path: Path, signer: Signer) -> None:
    recorder = record(tmp_path)
    recorder._files.finish()
    recorder._files.close()
    loose = {path.name: path.read_bytes() for path in recorder.folder.iterdir()}
    bundle = recorder.seal(signer)
    content = bundle.read_bytes()
    for name, data in loose.items():
        (recorder.folder / name).write_bytes(data)
    assert recover(recorder.folder, signer, FixedClock(START)) == bundle == bundle_path(recorder.folder)
    assert bundle.read_bytes() == content and list(recorder.folder.iterdir()) == [bundle]


def test_nothing_verifiable_is_left_alone(tmp_path: Path, signer: Signer) -> None:
    folder = _interrupted(tmp_path)
    (folder / "chain.jsonl").write_bytes(b'{"call_id"')
    assert recover(folder, signer, FixedClock(START)) is None
    assert {path.name for path in folder.iterdir()} == {"audio.wav", "chain.jsonl", "journal.jsonl"}


@pytest.mark.parametrize("missing", [("audio.wav",), ("audio.wav", "journal.jsonl")])
def test_a_process_killed_while_it_opened_the_call_leaves_a_verifiable_one(
    tmp_path: Path, signer: Signer, missing: tuple[str, ...]
) -> None:
    folder = _interrupted(tmp_path)
    chain = (folder / "chain.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "chain.jsonl").write_bytes(chain[0])
    for name in missing:
        (folder / name).unlink()
    bundle = recover(folder, signer, FixedClock(START))
    assert bundle is not None and verify_bundle(bundle).valid
    assert len(read_audio(bundle)) == 0
    assert FactKind.ENDED in [fact.kind for fact in read_journal(bundle)]


def test_a_sealing_that_another_key_began_is_begun_again(tmp_path: Path, signer: Signer) -> None:
    """The keys were lost with the machine: what it was about to seal cannot be proved by the new log."""
    lost = Signer.load_or_create(tmp_path / "lost" / "keys")
    bundle = record(tmp_path).seal(lost)
    members, _ = unzip(bundle.read_bytes())
    growing = ("audio.wav", "chain.jsonl", "journal.jsonl")
    for name in growing:
        (bundle.parent / name).write_bytes(members[name])
    texts = {name: body for name, body in members.items() if name not in (*growing, "proof.json")}
    (bundle.parent / SEALING).write_bytes(zip_bytes(texts))
    bundle.unlink()
    again = recover(bundle.parent, signer, FixedClock(START))
    assert again is not None and verify_bundle(again, signer.public.hex()).failures == ()
