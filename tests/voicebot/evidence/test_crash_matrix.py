"""kill -9 at every single write of a call: nothing that was on the disk is lost, and the log holds the call once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import FactKind
from voicebot.evidence.bundle import bundle_path, unsealed
from voicebot.evidence.merkle import leaf_hash
from voicebot.evidence.proofs import leaf_data
from voicebot.evidence.reading import read_audio, read_journal, read_member
from voicebot.evidence.recovery import recover
from voicebot.evidence.signer import Signer
from voicebot.evidence.verify import verify_bundle

from .conftest import START

CHILD = """
import os, sys
from pathlib import Path
from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import FactKind
from voicebot.evidence.bundle import bundle_folder
from voicebot.evidence.recorder import Recorder
from voicebot.evidence.signer import Signer
from voicebot.evidence import surroundings
from tests.voicebot.evidence.conftest import START

surroundings.software_sha256()

def call(root, last_step, torn):
    steps = 0
    def audit(event, arguments):
        nonlocal steps
        writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
        changes = event in ("os.rename", "os.remove", "os.truncate", "os.mkdir")
        if (writes or changes) and str(root) in str(arguments[0]):
            steps += 1
            if steps == last_step:
                os.kill(os.getpid(), 9)
    raw = []
    def counted(real):
        def write(*arguments):
            nonlocal steps
            steps += 1
            if steps == last_step:
                if torn:
                    arguments[0].write(bytes(arguments[1])[: len(arguments[1]) // 2])
                os.kill(os.getpid(), 9)
            return real(*arguments)
        return write
    from voicebot.evidence import disk
    disk._write_all = counted(disk._write_all)
    os.fsync = counted(os.fsync) if not torn else os.fsync
    signer = Signer.load_or_create(root / "keys")
    sys.addaudithook(audit)
    folder = bundle_folder(root / "recordings", "call", START)
    recorder = Recorder(folder, "call", clock=FixedClock(START), environment={})
    recorder.append(FactKind.STARTED, {"call_id": "call"})
    for tick in range(120):
        recorder.tick(bytes([tick]) * 320, bytes([255 - tick]) * 320, False, b"c" * 320 if tick > 60 else None)
        if tick % 20 == 0:
            recorder.append(FactKind.HEARD, {"text": "嗯", "tick": tick})
    recorder.seal(signer)
    return steps

root, torn = Path(sys.argv[1]), sys.argv[2] == "torn"
for step in range(1, 400):
    here = root / f"{step:03d}"
    pid = os.fork()
    if pid == 0:
        try:
            call(here, step, torn)
        finally:
            os._exit(0)
    if os.waitpid(pid, 0)[1] == 0:
        print(step)
        break
"""


@pytest.mark.parametrize("torn", [pytest.param("whole", marks=pytest.mark.slow), "torn"])
def test_a_kill_at_every_write_loses_nothing(tmp_path: Path, torn: str) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path), torn]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    steps = int(done.stdout)
    assert steps > 25, "every write was tried"
    for folder in sorted(tmp_path.iterdir())[:-1]:
        _check(folder)


def _check(root: Path) -> None:
    signer = Signer.load_or_create(root / "keys")
    folder = root / "recordings/2026/11/24/call"
    began = (folder / "chain.jsonl").exists() and (folder / "chain.jsonl").read_bytes().count(b"\n") > 0
    rows = _lines(folder / "chain.jsonl") - 1
    kept = _lines(folder / "journal.jsonl", b'"heard"')
    for left in list(unsealed(root / "recordings")):
        recover(left, signer, FixedClock(START))
    bundle = bundle_path(folder)
    assert bundle.exists() or not began, root.name
    if not bundle.exists():
        return
    assert verify_bundle(bundle).failures == (), root.name
    if began:
        assert len(read_audio(bundle)) >= min(rows, 2) * 8000, f"{root.name}: a whole second was lost"
        assert len([fact for fact in read_journal(bundle) if fact.kind is FactKind.HEARD]) >= kept, root.name
    assert not list(unsealed(root / "recordings"))
    leaf = leaf_hash(leaf_data(read_member(bundle, "manifest.json")))
    log = signer.log
    assert [log.leaf(at) for at in range(log.size)] == [leaf], f"{root.name}: the log holds the call once"
    assert json.loads(read_member(bundle, "proof.json"))["leaf"]["index"] == 0


def _lines(path: Path, holding: bytes = b"") -> int:
    """Whole lines that a killed process left."""
    if not path.exists():
        return 0
    return sum(holding in line for line in path.read_bytes().split(b"\n")[:-1])
