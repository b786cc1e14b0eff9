"""One row each: our server, and the stock pipeline, under the same debtors."""

from __future__ import annotations

import asyncio
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.line.rows import cpu_s, memory_mb
from benchmarks.line.witness import watched
from benchmarks.turns.debtors import ANSWERS
from benchmarks.turns.far_end import APART_S
from benchmarks.turns.figures import figures, quantile
from benchmarks.turns.server import Server, heard, punctuality, server, turn_parts


def rounds_for(calls: int, turns: int) -> int:
    """How often so many calls at once are needed for so many turns."""
    return math.ceil(turns / (calls * len(ANSWERS)))


async def ours(calls: int, turns: int, prompts: Path) -> dict[str, Any]:
    """Our whole server: real SIP calls, database, recording and all."""
    home = Path(tempfile.mkdtemp(prefix="vb-turns-"))
    try:
        async with server(home, calls, prompts) as under_test:
            with watched() as machine:
                before, began = under_test.cpu_s(), time.monotonic()
                call_s = await _rounds(under_test, calls, rounds_for(calls, turns))
                took_s = time.monotonic() - began
                used = {name: spent - before[name] for name, spent in under_test.cpu_s().items()}
        parts, late = turn_parts(sorted((home / "recordings").glob("*/*/*/*/*.zip"))), punctuality(home)
        row = figures(heard(home)) | _costs(used, call_s, took_s, machine.stolen)
        row |= _parts("pause", [pause for pause, _ in parts]) | _parts("answer", [answer for _, answer in parts])
        row |= _parts("line", [pause + answer for pause, answer in parts])
        return row | {"server": "ours", "calls": calls, "late_ticks": late["late_over_40_ms"], "ticks": late["ticks"]}
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def _rounds(under_test: Server, calls: int, rounds: int) -> float:
    """Seconds of all calls together."""

    async def ring(name: int, place: int) -> float:
        await asyncio.sleep(place * APART_S)
        return await under_test.ring(name)

    total = 0.0
    for number in range(rounds):
        total += sum(await asyncio.gather(*(ring(number * calls + place, place) for place in range(calls))))
    return total


def stock(calls: int, turns: int, apart_s: float = APART_S) -> dict[str, Any]:
    """The stock pipeline: bare RTP, no recording, no script. Calls begin `apart_s` after one another."""
    count = calls * rounds_for(calls, turns)
    with tempfile.TemporaryDirectory(prefix="vb-turns-") as folder:
        report = Path(folder) / "far-end.json"
        peer = subprocess.Popen([sys.executable, "-m", "benchmarks.turns.stock", "--calls", str(count)],
                                stdout=subprocess.PIPE, text=True)
        try:
            assert peer.stdout
            ports = [str(port) for port in json.loads(peer.stdout.readline())["ports"]]
            command = [sys.executable, "-m", "benchmarks.turns.far_end", str(report), "--at-once", str(calls)]
            command += ["--apart", str(apart_s)]
            with watched() as machine:
                before, began, held_mb = cpu_s(peer.pid), time.monotonic(), 0.0
                with subprocess.Popen([*command, "--ports", *ports], stdout=subprocess.DEVNULL) as phones:
                    while phones.poll() is None:
                        far_end_s, held_mb = cpu_s(phones.pid), max(held_mb, memory_mb(peer.pid))
                        time.sleep(0.5)
                used = {"stock": cpu_s(peer.pid) - before, "far_end": far_end_s}
                took_s = time.monotonic() - began
            told = json.loads(report.read_text())
        finally:
            peer.kill()
            peer.wait()
    row = figures(told) | _costs(used, told["call_s"], took_s, machine.stolen)
    # It sends nothing while it is silent, and its timestamps stand still: what is late can't be told.
    row |= {"late_percent": None, "late_by_itself_percent": None}
    return row | {"server": "stock", "calls": calls, "held_mb": held_mb}


def _parts(name: str, times_ms: list[float]) -> dict[str, Any]:
    return {f"{name}_p50_ms": quantile(times_ms, 0.5), f"{name}_p95_ms": quantile(times_ms, 0.95)}


def _costs(used: dict[str, float], call_s: float, took_s: float, stolen: float) -> dict[str, Any]:
    """`used`: CPU seconds of each process; `call_s`: seconds of all calls; `took_s`: seconds on the clock."""
    far_end_s = used.pop("far_end")
    return {
        "cpu_s_per_call_minute": {name: spent / call_s * 60 for name, spent in used.items()},
        "core_percent": sum(used.values()) / took_s * 100,
        "far_end_core_percent": far_end_s / took_s * 100,
        "stolen_percent": stolen * 100,
    }
