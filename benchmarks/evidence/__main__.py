"""`python -m benchmarks.evidence`: calls sealed and verified per CPU second, sound hashed beside sha256sum.

One JSON row per figure. CPU seconds, not wall clock, so that other work on the machine counts little.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from voicebot.domain.clock import SystemClock
from voicebot.domain.journal import FactKind
from voicebot.evidence.audio_chain import AudioChain, interleave
from voicebot.evidence.bundle import bundle_folder
from voicebot.evidence.examine import examine
from voicebot.evidence.log import Log
from voicebot.evidence.merkle import inclusion_holds
from voicebot.evidence.recorder import Recorder
from voicebot.evidence.signer import Signer, verify_signature
from voicebot.evidence.stored_zip import unzip


def record(root: Path, name: str, seconds: int, noise: bytes) -> Recorder:
    """A call with a fact per second, not sealed yet."""
    clock = SystemClock()
    folder = bundle_folder(root, name, dt.datetime.now(dt.UTC))
    recorder = Recorder(folder, name, clock=clock, environment={"host": "bench"})
    for tick in range(seconds * 50):
        at = tick * 320 % (len(noise) - 640)
        recorder.tick(noise[at : at + 320], noise[at + 320 : at + 640], False)
        if tick % 50 == 0:
            heard = {"text": "好的，我明天还", "start_ms": tick * 20, "end_ms": tick * 20 + 900}
            recorder.append(FactKind.HEARD, heard)
    return recorder


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of this process, all threads."""
    began = time.process_time()
    work()
    return time.process_time() - began


def children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def sha256sum(path: Path) -> float:
    """CPU seconds of coreutils' sha256sum over a file."""
    began = children_cpu()
    subprocess.run(["sha256sum", str(path)], check=True, capture_output=True)
    return children_cpu() - began


def chain_seconds(noise: bytes, seconds: int) -> None:
    """Hash as the recorder does: both channels of every second, and the row."""
    chain = AudioChain(bytes(32))
    for second in range(seconds):
        at = second * 16000 % (len(noise) - 32000)
        left, right = noise[at : at + 16000], noise[at + 16000 : at + 32000]
        interleave(left, right)
        chain.append(left, right, ticks=50, gaps=0, lines=0, journal=bytes(32))


def log_figures(folder: Path, leaves: int) -> dict[str, object]:
    """A log of many leaves: length and cost of a proof."""
    log = Log(folder)
    (folder / "levels").mkdir(parents=True)
    (folder / "levels" / "0").write_bytes(random.Random(1).randbytes(32 * (leaves - 1)))
    building = cpu(lambda: log.append(b"the last one"))
    root, index = log.root(), leaves // 3
    path = log.inclusion(index, leaves)
    proving = cpu(lambda: [log.inclusion(index, leaves) for _ in range(50)]) / 50
    checking = cpu(lambda: [inclusion_holds(index, leaves, log.leaf(index), path, root) for _ in range(200)]) / 200
    return {
        "leaves": leaves, "proof_hashes": len(path), "rebuild_cpu_s": round(building, 2),
        "prove_ms": round(proving * 1000, 3), "check_ms": round(checking * 1000, 3),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=60, help="length of each call")
    parser.add_argument("--leaves", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        noise = random.Random(1).randbytes(1 << 20)
        signer = Signer.load_or_create(root / "keys")
        recorders = [record(root / "calls", f"c{n}", asked.seconds, noise) for n in range(asked.calls)]
        for one in recorders:
            one._files.finish()
        sealing = cpu(lambda: [one.seal(signer) for one in recorders])
        bundles = [path.read_bytes() for path in root.glob("calls/*/*/*/*/*.zip")]

        def verify() -> None:
            for data in bundles:
                members, failures = unzip(data)
                assert not failures + examine(members, None, verify_signature)

        verifying = cpu(verify)
        sound = root / "sound"
        long = 1800
        sound.write_bytes(os.urandom(32000 * long))
        show = {
            "calls": asked.calls, "seconds_each": asked.seconds, "bundle_bytes": len(bundles[0]),
            "sealed_per_cpu_s": round(asked.calls / sealing, 1),
            "verified_per_cpu_s": round(asked.calls / verifying, 1),
            "sound_seconds_verified_per_cpu_s": round(asked.calls * asked.seconds / verifying),
            "sound_seconds_chained_per_cpu_s": round(long / cpu(lambda: chain_seconds(noise, long))),
            "sound_seconds_sha256sum_per_cpu_s": round(long / max(sha256sum(sound), 1e-3)),
        }  # fmt: skip
        print(json.dumps(show))
        print(json.dumps(log_figures(root / "log", asked.leaves)))


if __name__ == "__main__":
    main()
