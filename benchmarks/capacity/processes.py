"""What the processes of an installation used so far: CPU seconds by process and part, memory (Linux, proc(5))."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.turns.server import Server
from voicebot.telemetry.process_figures import ProcessFigures, read_cpu

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
HEARS: Final = ("echo", "voice activity", "turns")
"""Parts of the brain that the tables call voice activity: from sound to who has the floor."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """At one moment: CPU seconds by process, and by part within line and brain (of all workers together)."""

    at_s: float
    process_s: Mapping[str, float]
    part_s: Mapping[str, Mapping[str, float]]


def snapshot(server: Server) -> Snapshot:
    """The installation now; its far end and this process beside it."""
    spent = {name: sum(map(cpu_s, pids)) for name, pids in _pids(server).items()}
    figures = ProcessFigures(server.settings.home)
    parts = {kind: _added(read_cpu(row) for _, row in figures.read(kind)) for kind in ("line", "brain")}
    times = os.times()
    return Snapshot(time.time(), spent | {"benchmark": times.user + times.system}, parts)


def used(before: Snapshot, after: Snapshot) -> dict[str, float]:
    """CPU seconds between two snapshots by part, as the tables name them.

    What line and brain tell of their parts is up to two seconds old; their whole is the kernel's.
    """
    spent = {name: after.process_s[name] - before.process_s.get(name, 0.0) for name in after.process_s}
    line = _shares(before.part_s["line"], after.part_s["line"])
    brain = _shares(before.part_s["brain"], after.part_s["brain"])
    recorder = spent["line"] * line.get("recorder", 0.0)
    known = {
        "voice activity": sum(brain.get(name, 0.0) for name in HEARS),
        "recogniser": brain.get("recogniser", 0.0),
        "understanding": brain.get("understanding", 0.0),
        "voice": brain.get("voice", 0.0),
    }
    parts = {name: spent["brain"] * share for name, share in known.items()}
    return {
        "line": spent["line"] - recorder,
        **parts,
        "pipeline": spent["brain"] - sum(parts.values()),
        "recorder": recorder,
        "database": spent["database"],
        "control": spent["control"] + spent["softphone"],
        "far end": spent["far end"],
        "benchmark": spent["benchmark"],
    }


def memory_mb(server: Server) -> dict[str, float]:
    """Proportional set size by process: shared pages are counted once."""
    return {name: sum(map(_pss_mb, pids)) for name, pids in _pids(server).items()}


def _pids(server: Server) -> dict[str, list[int]]:
    pids: dict[str, list[int]] = {"database": family(_postmaster(server.settings.home))}
    for name, child in server.supervisor.children.items():
        if child.process is not None:
            kind = name.rpartition("-")[0] if name[-1].isdigit() else name.replace("-", " ")
            pids.setdefault(kind, []).append(child.process.pid)
    return pids


def _postmaster(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def family(parent: int) -> list[int]:
    """A process and its children; what children that have ended used is their parent's."""
    family = [parent]
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                if int(_stat(int(entry))[1]) == parent:
                    family.append(int(entry))
    return family


def _stat(pid: int) -> list[str]:
    """The fields behind the name of a process: state, parent, …"""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_s(pid: int) -> float:
    """CPU seconds of a process, its threads, and its children that have ended; 0 when it is gone."""
    with contextlib.suppress(OSError):
        return sum(map(int, _stat(pid)[11:15])) / _TICKS_PER_S
    return 0.0


def _pss_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _shares(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Which share of a process' time each part took meanwhile."""
    spent = {name: after[name] - before.get(name, 0.0) for name in after}
    whole = sum(spent.values())
    return {name: seconds / whole for name, seconds in spent.items()} if whole > 0 else {}


def _added(rows: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for row in rows:
        for name, seconds in row.items():
            total[name] = total.get(name, 0.0) + seconds
    return total
