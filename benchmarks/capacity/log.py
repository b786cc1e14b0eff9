"""The file of a run: written after every row, so that a run that is cut short goes on where it was."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any


class Log:
    """Rows so far, with the machine they came from."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        told = json.loads(path.read_text(encoding="utf-8")) if path and path.exists() else {}
        self.rows: list[dict[str, Any]] = told.get("rows", [])
        self.machine: dict[str, Any] = told.get("machine") or machine()

    def find(self, server: str, kind: str, calls: int, workers: int) -> dict[str, Any] | None:
        """A row that was measured already."""
        wanted = (server, kind, calls, workers)
        return next((row for row in self.rows if _name(row) == wanted), None)

    def add(self, row: dict[str, Any]) -> None:
        self.rows.append(row)
        if self._path is not None:
            part = self._path.with_suffix(".part")
            text = json.dumps({"machine": self.machine, "rows": self.rows}, indent=1, ensure_ascii=False)
            part.write_text(text + "\n", encoding="utf-8")
            part.replace(self._path)


def machine() -> dict[str, Any]:
    """Cores, processor and Python, and how busy it was when the run began."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": names[0].partition(":")[2].strip() if names else platform.machine(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def _name(row: dict[str, Any]) -> tuple[str, str, int, int]:
    return row["server"], row.get("kind", "talking"), row["calls"], row.get("workers", 1)
