"""What a call costs the Kamailio that we generate: SIPp on both sides of it, over loopback.

    python -m benchmarks.far_beyond.proxy --rate 200 --calls 3000
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.capacity.processes import cpu_s, family
from benchmarks.line.rows import free_port
from voicebot.telephony.kamailio import Edge, write

CALLS, ANSWERS = (Path(__file__).with_name(name) for name in ("invite.xml", "answer.xml"))
CARRIER, WORKER = "127.0.0.2", "127.0.0.3"


def measure(rate: int, calls: int) -> dict[str, Any]:
    """CPU seconds of all Kamailio's processes per call, and how many of the calls failed."""
    with tempfile.TemporaryDirectory(prefix="vb-proxy-") as folder:
        place = Path(folder)
        edge = Edge(
            listen=f"127.0.0.1:{free_port()}", domain="calls.example", workers=(f"sip:{WORKER}:{free_port()}",),
            carrier=f"sip:{CARRIER}:{free_port()}", carrier_addresses=(CARRIER,), folder=place, ping_s=3600,
        )  # fmt: skip
        write(edge, place)
        with _running(["kamailio", "-DD", "-E", "-f", str(place / "kamailio.cfg"), "-w", folder], place) as proxy, \
                _running(["sipp", "-sf", str(ANSWERS), "-nostdin", *_at(edge.workers[0])], place):  # fmt: skip
            time.sleep(2.0)
            family_s = sum(map(cpu_s, family(proxy.pid)))
            began = time.monotonic()
            told = _ring(edge, rate, calls, place)
            took_s = time.monotonic() - began
            spent = sum(map(cpu_s, family(proxy.pid))) - family_s
    return told | {"seconds": took_s, "cpu_s_per_call": spent / max(told["ok"], 1)}


@contextlib.contextmanager
def _running(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process until the end of the block."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


def _at(uri: str) -> list[str]:
    host, port = uri.removeprefix("sip:").split(":")
    return ["-i", host, "-p", port]


def _ring(edge: Edge, rate: int, calls: int, folder: Path) -> dict[str, int]:
    statistics = folder / "calls.csv"
    command = ["sipp", "-sf", str(CALLS), *_at(edge.carrier or ""), "-s", "4001", "-r", str(rate), "-m", str(calls),
               "-nostdin", "-trace_stat", "-stf", str(statistics), edge.listen]  # fmt: skip
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120, check=False)
    last = list(csv.DictReader(statistics.open(), delimiter=";"))[-1]
    return {"ok": int(last["SuccessfulCall(C)"]), "failed": int(last["FailedCall(C)"])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=200, help="calls a second")
    parser.add_argument("--calls", type=int, default=3000)
    options = parser.parse_args()
    if not shutil.which("kamailio") or not shutil.which("sipp"):
        raise SystemExit("kamailio and sipp are needed: make peers installs them")
    print(json.dumps(measure(options.rate, options.calls)))


if __name__ == "__main__":
    main()
