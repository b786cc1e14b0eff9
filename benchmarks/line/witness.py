"""Witness: a clock on every core that stands before all other work, so that its gaps are the machine's own.

    python -m benchmarks.line.witness CORE

sleeps 1 ms at a time until its standard input ends, and then prints when it was not woken. What holds *it* up is no
process: the hypervisor gave the core to somebody else, or the kernel did not look up.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Final

GAP_S: Final = 0.005
"""A longer sleep than that counts."""

Gap = tuple[float, float]
"""From when to when, as time.time() has it."""


class Stillness:
    """What the witnesses saw while they stood by: `gaps`, and the share of CPU time that was stolen (0 to 1)."""

    def __init__(self) -> None:
        self.gaps: list[Gap] = []
        self.stolen = 0.0


@contextlib.contextmanager
def watched() -> Iterator[Stillness]:
    """Witnesses on all cores that we may use; the figures are there on leaving."""
    seen, before = Stillness(), _cpu_ticks()
    cores = sorted(os.sched_getaffinity(0))
    commands = ([sys.executable, "-m", "benchmarks.line.witness", str(core)] for core in cores)
    watching = [subprocess.Popen(one, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for one in commands]
    try:
        yield seen
    finally:
        told = [json.loads(one.communicate()[0] or "[]") for one in watching]
        seen.gaps = sorted((begin, end) for gaps in told for begin, end in gaps)
        stolen, total = (after - then for after, then in zip(_cpu_ticks(), before, strict=True))
        seen.stolen = stolen / max(total, 1)


def backlogs(gaps: list[Gap]) -> list[Gap]:
    """Each gap with the time that catching up may take, as long again; those that touch are one."""
    merged: list[Gap] = []
    for begin, end in sorted((begin, end + (end - begin)) for begin, end in gaps):
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return merged


def excused(late: list[Gap], gaps: list[Gap]) -> int:
    """How many late packets (due, arrived) were due or under way while the machine stood still or caught up."""
    held_up = backlogs(gaps)
    return sum(any(begin < arrived and due < end for begin, end in held_up) for due, arrived in late)


def _cpu_ticks() -> tuple[int, int]:
    """Stolen and all ticks of all cores so far (proc(5))."""
    with open("/proc/stat") as stat:
        ticks = [int(field) for field in stat.readline().split()[1:9]]
    return ticks[7], sum(ticks)


def watch(core: int) -> list[Gap]:
    """Sleep 1 ms at a time on that core until standard input ends."""
    os.sched_setaffinity(0, {core})
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    told = threading.Thread(target=sys.stdin.read, daemon=True)
    told.start()
    gaps, then = list[Gap](), time.time()
    while told.is_alive():
        time.sleep(0.001)
        now = time.time()
        if now - then > GAP_S:
            gaps.append((then, now))
        then = now
    return gaps


if __name__ == "__main__":
    print(json.dumps(watch(int(sys.argv[1]))))
