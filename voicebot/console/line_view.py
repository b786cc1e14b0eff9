"""LineView: lines and trunks of this installation as the console shows them, read from the files that lines write."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from voicebot.telemetry.process_figures import ProcessFigures, read_trunks

_STATES = ("up", "trial", "paused", "unregistered", "down")
"""The best first: a trunk is as well as the best of its lines finds it."""


@dataclass(frozen=True, slots=True)
class WorkerView:
    """`late_share`: ticks later than 40 ms, 0..1."""

    name: str
    calls: int
    admits: bool
    overloads: int
    brain_alive: bool
    brain_lag_ms: int
    late_share: float


@dataclass(frozen=True, slots=True)
class TrunkView:
    """One trunk over all lines. `answer_rate`: 0..1, None before the first call."""

    name: str
    address: str
    state: str
    paused_s: int
    registration: str
    priority: int
    weight: int
    used: int
    channels: int
    per_second: float
    most_per_second: float
    tried: int
    answered: int
    failed: int
    inbound: int
    answer_rate: float | None
    last_failure: str
    last_failure_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class LineView:
    workers: tuple[WorkerView, ...]
    trunks: tuple[TrunkView, ...]


def line_view(home: Path | None) -> LineView:
    """What the files say now; nothing where there is no home or no fresh file."""
    rows = list(ProcessFigures(home).read("line")) if home is not None else []
    by_name: dict[str, list[Mapping[str, object]]] = {}
    for _, row in rows:
        for trunk in read_trunks(row):
            by_name.setdefault(str(trunk.get("name")), []).append(trunk)
    workers = tuple(_worker(name, row) for name, row in rows)
    return LineView(workers, tuple(_trunk(name, shares) for name, shares in by_name.items()))


def _worker(name: str, row: Mapping[str, object]) -> WorkerView:
    return WorkerView(
        name=name,
        calls=int(_number(row, "calls")),
        admits=bool(row.get("admits", True)),
        overloads=int(_number(row, "overloads")),
        brain_alive=bool(row.get("brain_alive")),
        brain_lag_ms=round(_number(row, "brain_lag_s") * 1000),
        late_share=_late_share(row.get("late")),
    )


def _late_share(late: object) -> float:
    """From the cumulative histogram: pairs of a bound in seconds and how many ticks came by then."""
    if not isinstance(late, list):
        return 0.0
    counts = {str(pair[0]): float(pair[1]) for pair in late if isinstance(pair, list) and len(pair) == 2}
    total = counts.get("+Inf", 0.0)
    return 1.0 - counts.get("0.04", total) / total if total else 0.0


def _trunk(name: str, shares: list[Mapping[str, object]]) -> TrunkView:
    best = min(shares, key=lambda share: _rank(share.get("state")))
    failures = [share for share in shares if share.get("last_failure_at") is not None]
    last = max(failures, key=lambda share: _number(share, "last_failure_at"), default=None)
    tried, answered = _sum(shares, "tried"), _sum(shares, "answered")
    registration = [str(share.get("registration")) for share in shares if share.get("registration") != "not_needed"]
    return TrunkView(
        name=name,
        address=str(best.get("address", "")),
        state=str(best.get("state", "down")),
        paused_s=round(_number(best, "paused_s")),
        registration=registration[0] if registration else "not_needed",
        priority=int(_number(best, "priority")),
        weight=int(_number(best, "weight")),
        used=_sum(shares, "used"),
        channels=_sum(shares, "channels"),
        per_second=sum(_number(share, "per_second") for share in shares),
        most_per_second=sum(_number(share, "most_per_second") for share in shares),
        tried=tried,
        answered=answered,
        failed=_sum(shares, "failed"),
        inbound=_sum(shares, "inbound"),
        answer_rate=answered / tried if tried else None,
        last_failure=str(last.get("last_failure", "")) if last else "",
        last_failure_at=dt.datetime.fromtimestamp(_number(last, "last_failure_at"), dt.UTC) if last else None,
    )


def _rank(state: object) -> int:
    return _STATES.index(state) if state in _STATES else len(_STATES)


def _sum(shares: Iterable[Mapping[str, object]], key: str) -> int:
    return int(sum(_number(share, key) for share in shares))


def _number(row: Mapping[str, object], key: str) -> float:
    value = row.get(key)
    return float(value) if isinstance(value, int | float) else 0.0
