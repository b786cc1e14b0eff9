"""LineRoom: which lines of this machine may dial and how many more calls they carry, as they last said themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from voicebot.telemetry.process_figures import ProcessFigures, read_trunks
from voicebot.worker.names import worker_name

_USABLE = ("up", "trial")


@dataclass(frozen=True, slots=True)
class LineRoom:
    """`workers` that may dial, None where nothing is known; `free`: further calls, None where nothing limits them."""

    workers: frozenset[str] | None = None
    free: int | None = None

    def may_dial(self, worker: str) -> bool:
        return self.workers is None or worker in self.workers


def line_room(home: Path) -> LineRoom:
    """What the lines wrote within the last half minute. Lines that have not written yet are not waited for."""
    rows = {worker_name(int(name), home): row for name, row in ProcessFigures(home).read("line") if name.isdigit()}
    if not rows:
        return LineRoom()
    able = {worker: row for worker, row in rows.items() if row.get("may_dial", True)}
    rooms = [_free(row) for row in able.values()]
    limited = [room for room in rooms if room is not None]
    return LineRoom(frozenset(able), sum(limited) if len(limited) == len(rooms) else None)


def _free(row: Mapping[str, object]) -> int | None:
    """Free channels of the trunks that work; None for a line without trunks."""
    trunks = list(read_trunks(row))
    if not trunks:
        return None
    return sum(_whole(one, "channels") - _whole(one, "used") for one in trunks if one.get("state") in _USABLE)


def _whole(row: Mapping[str, object], key: str) -> int:
    value = row.get(key)
    return value if isinstance(value, int) else 0
