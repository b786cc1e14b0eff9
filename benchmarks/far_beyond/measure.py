"""The stations that are measured by themselves, in one file: leases, wake-ups, the proxy.

    python -m benchmarks.far_beyond.measure --json benchmarks/far_beyond/alone.json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks.far_beyond.stations import Alone

LEASES: Final = ["benchmarks.dialler.leases", "--attempts", "10000", "--seconds", "6", "--diallers", "1"]
WAKES: Final = ["benchmarks.far_beyond.wakes", "--listeners", "4", "16", "64"]
PROXY: Final = ["benchmarks.far_beyond.proxy", "--rate", "200", "--calls", "3000"]
FILE: Final = Path(__file__).with_name("alone.json")


def measure() -> dict[str, Any]:
    """Each by its own command, which the file names."""
    with tempfile.TemporaryDirectory(prefix="vb-leases-") as folder:
        rows = Path(folder) / "leases.json"
        _run([*LEASES, "--json", str(rows)])
        leases = json.loads(rows.read_text())
    wakes = [json.loads(line) for line in _run(WAKES).splitlines()]
    proxy = json.loads(_run(PROXY))
    commands = [" ".join(one) for one in (LEASES, WAKES, PROXY)]
    return {"leases": leases, "wakes": wakes, "proxy": proxy, "commands": commands}


def read(path: Path = FILE) -> Alone:
    """What the file says, as the model wants it."""
    told = json.loads(path.read_text(encoding="utf-8"))
    waking = {int(row["listeners"]): float(row["waking_per_s"]) for row in told["wakes"]}
    return Alone(max(row["leases"] for row in told["leases"]), waking, told["proxy"]["cpu_s_per_call"])


def _run(command: list[str]) -> str:
    print("…", *command, file=sys.stderr, flush=True)
    return subprocess.run([sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True, check=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=FILE)
    options = parser.parse_args()
    options.json.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
