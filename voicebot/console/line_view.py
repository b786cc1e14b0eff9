"""LineView: workers, controls and trunks of the whole fleet as the console shows them, from their signs of life."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from voicebot.domain.fleet import ControlSeen, WorkerSeen
from voicebot.telemetry.process_figures import read_trunks

_STATES = ("up", "trial", "paused", "unregistered", "down")
"""The best first: a trunk is as well as the best of its lines finds it."""


@dataclass(frozen=True, slots=True)
class WorkerView:
    """`late_share`: ticks later than 40 ms, 0..1. `age_s`: since it was last heard of."""

    name: str
    machine: str
    state: str
    drained: bool
    version: str
    clock_ahead_s: float
    age_s: float
    calls: int
    most: int
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
class ControlView:
    """`role`: leads, stands_by or silent."""

    name: str
    role: str
    version: str
    http: str
    clock_ahead_s: float
    age_s: float


@dataclass(frozen=True, slots=True)
class LineView:
    workers: tuple[WorkerView, ...]
    trunks: tuple[TrunkView, ...]
    controls: tuple[ControlView, ...] = ()


def line_view(workers: Sequence[WorkerSeen], controls: Sequence[ControlSeen] = ()) -> LineView:
    """What the workers and controls last said; trunks over the workers that live."""
    by_name: dict[str, list[Mapping[str, object]]] = {}
    for worker in workers:
        for trunk in read_trunks(worker.figures) if worker.living else ():
            by_name.setdefault(str(trunk.get("name")), []).append(trunk)
    trunks = tuple(_trunk(name, shares) for name, shares in by_name.items())
    return LineView(tuple(map(_worker, workers)), trunks, tuple(map(_control, controls)))


def _worker(seen: WorkerSeen) -> WorkerView:
    row = seen.figures
    return WorkerView(
        name=seen.name,
        machine=seen.machine,
        state=seen.state.value,
        drained=seen.drained,
        version=seen.version,
        clock_ahead_s=seen.skew_ms / 1000,
        age_s=round(seen.age_s, 1),
        calls=seen.calls,
        most=seen.most,
        admits=bool(row.get("admits", True)),
        overloads=int(_number(row, "overloads")),
        brain_alive=bool(row.get("brain_alive")),
        brain_lag_ms=round(_number(row, "brain_lag_s") * 1000),
        late_share=_late_share(row.get("late")),
    )


def _control(seen: ControlSeen) -> ControlView:
    role = "silent" if not seen.living else "leads" if seen.leads else "stands_by"
    return ControlView(seen.name, role, seen.version, seen.http, seen.skew_ms / 1000, round(seen.age_s, 1))


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
    said = [str(share.get("registration")) for share in shares]
    registration = [one for one in said if one not in ("not_needed", "elsewhere")]
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
