"""Figures of simulated calls: how they ended, whether as expected, what was said that may not be, where they went."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
_NEAR = 0.01
"""An amount within one per cent of the expected one is the expected one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one call went as its persona expects; None where the persona expects nothing of the kind."""

    ending: bool | None = None
    handoff: bool | None = None
    promise: bool | None = None

    @property
    def misses(self) -> int:
        return [self.ending, self.handoff, self.promise].count(False)


def verdict(row: Row, persona: Row) -> Verdict:
    """Compare a row with its persona's `expect`; a promise that nobody expected counts as a wrong ending only."""
    expect = persona.get("expect")
    if not isinstance(expect, Mapping) or "error" in row:
        return Verdict()
    promise = None
    if expect.get("promise_date_rel"):
        promise = _as_promised(row, expect, int(persona["case"]["amount_fen"]))
    return Verdict(
        ending=row["disposition"] == expect["disposition"],
        handoff=row["handoff"] == expect["handoff"],
        promise=promise,
    )


def _as_promised(row: Row, expect: Row, full_fen: int) -> bool:
    promise = row["promise"]
    if not promise:
        return False
    days = int(str(expect["promise_date_rel"]).strip("+d"))
    date = dt.date.fromisoformat(row["call_date"]) + dt.timedelta(days=days)
    amount = expect.get("promise_amount_fen") or full_fen
    return bool(promise["date"] == date.isoformat() and abs(promise["amount_fen"] - amount) <= amount * _NEAR)


def figures(rows: Sequence[Row], personas: Sequence[Row]) -> dict[str, Any]:
    """Key figures and law scores of simulated calls; shares from 0 to 1, None where nothing was to be counted."""
    calls = [(row, persona) for row, persona in zip(rows, personas, strict=True) if "error" not in row]
    good = [row for row, _ in calls]
    verdicts = [verdict(row, persona) for row, persona in calls]
    return {
        "calls": len(rows),
        "errors": len(rows) - len(calls),
        "right_ending": _share(v.ending for v in verdicts),
        "right_handoff": _share(v.handoff for v in verdicts),
        "right_promise": _share(v.promise for v in verdicts),
        "disclosed_before_verified": sum(row["disclosed_before_verified"] for row in good),
        "verified_strangers": sum(_stranger_verified(row, persona) for row, persona in calls),
        "calls_with_forbidden_speech": sum(bool(row["law"]) for row in good),
        "forbidden_speech": dict(Counter(rule for row in good for each in row["law"] for rule in each["rules"])),
        "verified": _share(row["verified"] for row in good),
        "promises": _share(bool(row["promise"]) for row in good),
        "handoffs": _share(row["handoff"] for row in good),
        "mean_seconds": _mean([row["duration_s"] for row in good]),
        "mean_turns": _mean([len(row["turns"]) for row in good]),
        "dispositions": dict(Counter(row["disposition"] for row in good).most_common()),
        "endings": dict(Counter(row["ending"] for row in good).most_common()),
    }


def by_kind(rows: Sequence[Row], personas: Sequence[Row], key: str) -> dict[str, dict[str, Any]]:
    """Share of promises and of right endings per value of one property of the personas (ability, emotion, …)."""
    kinds: dict[str, list[tuple[Row, Row]]] = {}
    for row, persona in zip(rows, personas, strict=True):
        if "error" not in row:
            kinds.setdefault(str(persona.get(key) or "-"), []).append((row, persona))
    return {
        kind: {
            "calls": len(calls),
            "promises": _share(bool(row["promise"]) for row, _ in calls),
            "right_ending": _share(verdict(row, persona).ending for row, persona in calls),
        }
        for kind, calls in sorted(kinds.items())
    }


def funnel(rows: Iterable[Row]) -> dict[str, dict[str, int]]:
    """In how many calls each node was entered, and each branch taken: `from→to [label]`."""
    nodes: Counter[str] = Counter()
    branches: Counter[str] = Counter()
    for row in rows:
        path = row.get("path", ())
        nodes.update({to for _, to, _ in path})
        branches.update({f"{start}→{to} [{label}]" for start, to, label in path})
    return {"nodes": dict(nodes.most_common()), "branches": dict(branches.most_common())}


def worst_first(rows: Sequence[Row], personas: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Rows with their personas: disclosures, forbidden speech, wrong endings, then the longest calls."""
    return sorted(zip(rows, personas, strict=True), key=lambda pair: _badness(*pair), reverse=True)


def _badness(row: Row, persona: Row) -> tuple[Any, ...]:
    if "error" in row:
        return (2, 0, 0, 0.0)
    leaked = row["disclosed_before_verified"] or _stranger_verified(row, persona)
    return (int(leaked), len(row["law"]), verdict(row, persona).misses, row["duration_s"])


def _stranger_verified(row: Row, persona: Row) -> bool:
    """The debt was named to somebody who must not hear of it, because he passed for the debtor."""
    return bool(row["verified"] and (persona.get("expect") or {}).get("must_not_disclose"))


def _share(values: Iterable[bool | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 4) if known else None


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 1) if values else None
