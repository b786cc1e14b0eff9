"""Script runs: simulated debtors sent through a text in a process of its own, with progress, figures and funnel."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voicebot.dialog.simulator_crowd import crowd, shipped_personas
from voicebot.dialog.simulator_figures import figures, funnel, verdict, worst_first

MOST = 5000
_WORST = 12
_LINE_LIMIT = 1 << 22


@dataclass(frozen=True, slots=True)
class Worst:
    """One of the worst calls: its row, its persona and how many expectations it missed."""

    row: Mapping[str, Any]
    persona: Mapping[str, Any]
    misses: int


@dataclass
class Run:
    """One simulation; `figures`, `nodes`, `branches` and `worst` are there when it is `done`."""

    total: int
    seed: int
    finished: int = 0
    done: bool = False
    failed: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    nodes: Mapping[str, int] = field(default_factory=dict)
    branches: Mapping[tuple[str, str], int] = field(default_factory=dict)
    worst: Sequence[Worst] = ()


async def simulate(run: Run, script: str, whole: str, on_progress: Callable[[], None] | None = None) -> None:
    """Fill `run` with simulated calls of the text `whole`. Cancelling ends the process that simulates."""
    personas = list(crowd(shipped_personas(), run.total, run.seed))
    with tempfile.TemporaryDirectory(prefix="voicebot-run-") as folder:
        file = Path(folder) / f"{script}.yaml"
        file.write_text(whole, encoding="utf-8")
        rows = await _rows(run, file, on_progress)
    if len(rows) != len(personas):
        run.failed = run.failed or f"{len(rows)} of {len(personas)} calls came back"
        run.done = True
        return
    await asyncio.to_thread(_sum_up, run, rows, personas)
    run.done = True


async def _rows(run: Run, file: Path, on_progress: Callable[[], None] | None) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "voicebot.cli", "script", "simulate", str(file), "--json"]
    process = await asyncio.create_subprocess_exec(
        *command,
        "--count",
        str(run.total),
        "--seed",
        str(run.seed),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE_LIMIT,
        preexec_fn=lambda: os.nice(10),  # calls come first
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    rows: list[dict[str, Any]] = []
    assert process.stdout is not None and process.stderr is not None
    complaints = asyncio.create_task(process.stderr.read())
    try:
        async for line in process.stdout:
            rows.append(json.loads(line))
            run.finished = len(rows)
            if on_progress and len(rows) % 10 == 0:
                on_progress()
        if await process.wait() and not rows:
            run.failed = (await complaints).decode(errors="replace").strip()[-400:]
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        complaints.cancel()
    return rows


def _sum_up(run: Run, rows: Sequence[Mapping[str, Any]], personas: Sequence[Mapping[str, Any]]) -> None:
    run.figures = figures(rows, personas)
    hits = funnel(rows)
    run.nodes = hits["nodes"]
    run.branches = {_way(key): count for key, count in hits["branches"].items()}
    worst = [pair for pair in worst_first(rows, personas) if "error" not in pair[0]][:_WORST]
    run.worst = [Worst(row, persona, verdict(row, persona).misses) for row, persona in worst]


def _way(key: str) -> tuple[str, str]:
    """`verify→debt [311:if]` to (node, branch label)."""
    moved, _, label = key.partition(" [")
    return moved.partition("→")[0], label.removesuffix("]")
