"""Process figures: what line and brain know of themselves, in a small file each, read when somebody asks.

    VOICEBOT_HOME/figures/line-0.json    written every few seconds, replaced whole
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

EVERY_S = 2.0
STALE_S = 30.0
"""A file older than this was left by a process that is gone."""


@dataclass(frozen=True, slots=True)
class LineFigures:
    """`late`: ticks that came at most so many seconds late, cumulative; the last bound is +Inf.

    `cpu_s`: CPU seconds by part of the work, see cpu_clock.
    `may_dial`: the line would take an order to dial. `admits`: False while overload keeps further calls away;
    `overloads`: how often it did. `trunks`: see TrunkFigures. `unsealed`: recordings for which the disk had no room.
    """

    late: tuple[tuple[str, int], ...]
    late_sum_s: float
    brain_alive: bool
    brain_lag_s: float
    ticks_dropped: int
    calls: int = 0
    admits: bool = True
    may_dial: bool = True
    overloads: int = 0
    trunks: tuple[Mapping[str, object], ...] = ()
    cpu_s: Mapping[str, float] = field(default_factory=dict)
    unsealed: int = 0


@dataclass(frozen=True, slots=True)
class BrainFigures:
    """The prompt cache: taken from memory, from the folder, or synthesised, some of it ahead of time.

    `recognizer_up`: False while the embedded recogniser hears new calls because the configured one fails; `stood_in`:
    for how many calls it did. `cpu_s`: CPU seconds by part of the work, see cpu_clock.
    """

    memory: int
    folder: int
    synthesised: int
    held_bytes: int
    foreseen: int = 0
    recognizer_up: bool = True
    stood_in: int = 0
    cpu_s: Mapping[str, float] = field(default_factory=dict)


def write_figures(home: Path, worker: int, figures: LineFigures | BrainFigures) -> None:
    """Replace the process' file. OSError when the disk is full or away."""
    folder = home / "figures"
    folder.mkdir(exist_ok=True)
    kind = "line" if isinstance(figures, LineFigures) else "brain"
    part = folder / f"{kind}-{worker}.part"
    part.write_text(json.dumps(asdict(figures)))
    part.replace(folder / f"{kind}-{worker}.json")


async def keep_writing(home: Path, worker: int, read: Callable[[], LineFigures | BrainFigures]) -> None:
    """Write the figures every few seconds until cancelled; a full disk only costs figures."""
    while True:
        with contextlib.suppress(OSError):
            write_figures(home, worker, read())
        await asyncio.sleep(EVERY_S)


class ProcessFigures:
    """A Prometheus collector over the files of this installation; what is stale or unreadable is left out."""

    def __init__(self, home: Path, reserve_mb: int = 0) -> None:
        self._folder = home / "figures"
        self._reserve = reserve_mb << 20

    def collect(self) -> Iterator[Metric]:
        lines = list(self.read("line"))
        yield _late(lines)
        yield _gauge("voicebot_brain_alive", "1 while the line has its brain", lines, "brain_alive")
        yield _gauge("voicebot_brain_lag_seconds", "Age of the last answered tick when its answer came", lines,
                     "brain_lag_s")  # fmt: skip
        yield _counter("voicebot_ticks_dropped", "Ticks a slow brain was not sent", lines, "ticks_dropped")
        yield from _disk(self._folder.parent, self._reserve)
        yield _gauge("voicebot_recordings_unsealed", "Recordings for which the disk had no room", lines, "unsealed")
        yield _gauge("voicebot_line_admits", "1 while the line takes further calls", lines, "admits")
        yield from _trunks(lines)
        brains = list(self.read("brain"))
        yield _prompts(brains)
        yield _gauge("voicebot_prompt_cache_bytes", "Sound of prompts held in memory", brains, "held_bytes")
        yield _counter("voicebot_prompts_foreseen", "Prompts of one call synthesised before they were needed", brains,
                       "foreseen")  # fmt: skip
        yield _gauge("voicebot_recognizer_up", "0 while the embedded recogniser hears for the configured one", brains,
                     "recognizer_up")  # fmt: skip
        yield _counter("voicebot_recognizer_stood_in", "Calls that the embedded recogniser heard instead", brains,
                       "stood_in")  # fmt: skip
        yield _cpu({"line": lines, "brain": brains})

    def read(self, kind: str) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Worker and figures of each fresh file of a kind, line or brain."""
        for file in sorted(self._folder.glob(f"{kind}-*.json")):
            try:
                if time.time() - file.stat().st_mtime < STALE_S:
                    row = json.loads(file.read_text())
                    if isinstance(row, dict):
                        yield file.stem.partition("-")[2], row
            except (OSError, ValueError):
                continue


_Rows = Iterable[tuple[str, Mapping[str, object]]]


def _late(rows: _Rows) -> Metric:
    family = HistogramMetricFamily(
        "voicebot_tick_late_seconds", "How late the 20 ms tick of the line came", labels=["worker"]
    )
    for worker, row in rows:
        buckets = row.get("late")
        if isinstance(buckets, list):
            family.add_metric([worker], [(str(le), float(n)) for le, n in buckets], _number(row, "late_sum_s"))
    return family


def _disk(home: Path, reserve: int) -> Iterator[Metric]:
    """Room for recordings, and what is kept of it for calls that run."""
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(home).free
        yield GaugeMetricFamily("voicebot_disk_free_bytes", "Room on the disk of the recordings", value=free)
        yield GaugeMetricFamily("voicebot_disk_reserve_bytes", "Nobody is dialled when less is free", value=reserve)


def _trunks(rows: _Rows) -> Iterator[Metric]:
    labels = ["worker", "trunk"]
    up = GaugeMetricFamily("voicebot_trunk_up", "1 while the trunk can be used", labels=labels)
    used = GaugeMetricFamily("voicebot_trunk_channels_used", "Calls on the trunk now", labels=labels)
    most = GaugeMetricFamily("voicebot_trunk_channels", "Calls that the trunk may carry at once", labels=labels)
    calls = CounterMetricFamily("voicebot_trunk_calls", "Calls by what became of them", labels=[*labels, "result"])
    for worker, row in rows:
        for trunk in read_trunks(row):
            name = str(trunk.get("name"))
            up.add_metric([worker, name], float(trunk.get("state") == "up"))
            used.add_metric([worker, name], _number(trunk, "used"))
            most.add_metric([worker, name], _number(trunk, "channels"))
            for result in ("tried", "rung", "answered", "failed", "inbound"):
                calls.add_metric([worker, name, result], _number(trunk, result))
    yield from (up, used, most, calls)


def read_trunks(row: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """The trunks of one line's row; what is no table is left out."""
    trunks = row.get("trunks")
    if isinstance(trunks, list):
        yield from (trunk for trunk in trunks if isinstance(trunk, dict))


def _prompts(rows: _Rows) -> Metric:
    family = CounterMetricFamily(
        "voicebot_prompt_cache", "Prompts taken from memory or folder, or synthesised", labels=["worker", "result"]
    )
    for worker, row in rows:
        for result in ("memory", "folder", "synthesised"):
            family.add_metric([worker, result], _number(row, result))
    return family


def _gauge(name: str, what: str, rows: _Rows, key: str) -> Metric:
    family = GaugeMetricFamily(name, what, labels=["worker"])
    for worker, row in rows:
        family.add_metric([worker], _number(row, key))
    return family


def _cpu(processes: Mapping[str, _Rows]) -> Metric:
    family = CounterMetricFamily(
        "voicebot_cpu_seconds", "CPU time of line and brain by part of the work", labels=["worker", "process", "part"]
    )
    for process, rows in processes.items():
        for worker, row in rows:
            for part, seconds in read_cpu(row).items():
                family.add_metric([worker, process, part], seconds)
    return family


def read_cpu(row: Mapping[str, object]) -> Mapping[str, float]:
    """CPU seconds by part of one process' row."""
    spent = row.get("cpu_s")
    return {str(part): _number(spent, part) for part in spent} if isinstance(spent, dict) else {}


def _counter(name: str, what: str, rows: _Rows, key: str) -> Metric:
    family = CounterMetricFamily(name, what, labels=["worker"])
    for worker, row in rows:
        family.add_metric([worker], _number(row, key))
    return family


def _number(row: Mapping[str, object], key: str) -> float:
    value = row.get(key)
    return float(value) if isinstance(value, int | float) else 0.0
