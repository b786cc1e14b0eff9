"""Decision: one answer of the rulebook as the permission ledger keeps it, and the chain that shows a missing one."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from voicebot.domain.permission import CallerId, DialRequest

FIRST = "0" * 64
"""What the first decision of a ledger is chained to."""


class Means(StrEnum):
    """What was asked for."""

    CALL = "call"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Decision:
    """`inputs`: all that was known when it was made. `position` from 1 and `sha256` once it is in the chain."""

    id: int
    at: dt.datetime
    allowed: bool
    rule: str | None
    reason: str
    not_before: dt.datetime | None
    pack_sha256: str
    number: str
    means: Means = Means.CALL
    attempt_id: int | None = None
    case_id: str | None = None
    debtor_id: str | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    position: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class DecisionSearch:
    """What is looked for; `number` and `text` (a case or debtor) whole, days of Shanghai with both ends included."""

    case_id: str | None = None
    number: str | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    rule: str | None = None
    allowed: bool | None = None


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold, and what is wrong there."""

    position: int
    why: str


def told(decision: Decision) -> dict[str, Any]:
    """A decision as exports show it: times in UTC, nothing left out."""
    row = asdict(decision)
    row["means"] = decision.means.value
    for name in ("at", "not_before"):
        row[name] = row[name] and row[name].astimezone(dt.UTC).isoformat()
    row["inputs"] = dict(decision.inputs)
    return row


def chained(row: Mapping[str, Any], before: str) -> str:
    """The hash of a decision as `told`, chained to that of the one before it. SHA-256 over sorted compact JSON."""
    body = {name: value for name, value in row.items() if name != "sha256"}
    spelt = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{before}\n{spelt}".encode()).hexdigest()


def breaks(rows: Iterable[Mapping[str, Any]], before: str = FIRST, after: int = 0) -> Iterator[Break]:
    """Every place where exported rows, in order, are not the chain they were: removed, changed, put in, reordered."""
    for row in rows:
        position = row.get("position")
        if position != after + 1:
            yield Break(after + 1, f"missing: the next row is at {position!r}")
        elif chained(row, before) != row.get("sha256"):
            yield Break(after + 1, "changed, or the one before it was")
        if not isinstance(position, int) or not isinstance(row.get("sha256"), str):
            return
        after, before = position, str(row["sha256"])


def inputs_of(request: DialRequest) -> dict[str, Any]:
    """A request as the ledger keeps it, so that it can be judged again years later."""
    kept: dict[str, Any] = {
        "now": request.now.isoformat(),
        "jurisdictions": list(request.jurisdictions),
        "target_kind": request.target_kind,
        "history": [[past.at.isoformat(), past.number, past.reached.value] for past in request.history],
        "stops": [_plain(asdict(stop)) for stop in request.stops],
        "consents": [_plain(asdict(consent)) for consent in request.consents],
        "debtor_unreachable": request.debtor_unreachable,
        "script": request.script,
        "script_says": sorted(request.script_says),
        "creditor_id": request.creditor_id,
    }
    if request.means is not None:
        recorder = request.means.recorder
        kept["means"] = {
            "shown": list(request.means.shown),
            "registered": [_plain(asdict(each)) for each in _named(request.means.registry, request.means.shown)],
            "recorder_alive_at": recorder.alive_at and recorder.alive_at.isoformat(),
            "recorder_free_mib": recorder.free_bytes >> 20,
            "script_released": request.means.script_released,
        } | ({"clock_off_ms": round(recorder.clock_off_s * 1000)} if recorder.clock_off_s else {})
    return kept


def _named(registry: Iterable[CallerId], shown: Iterable[str]) -> list[CallerId]:
    wanted = set(shown)
    return [entry for entry in registry if entry.number in wanted]


def _plain(value: Any) -> Any:
    """Times and days as ISO text."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if each is not None}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, dt.date | dt.time) else value
