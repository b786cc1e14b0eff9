"""Compare: a call as it was beside the same call played again - turn by turn, and where the ways part."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voicebot.call.outcome import outcome_of
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.outcome import Disposition
from voicebot.quality.replay import Replayed, Turn, events_of

_DECISIONS = frozenset({
    FactKind.DECIDED, FactKind.VERIFIED, FactKind.PROMISED, FactKind.CALLBACK_BOOKED, FactKind.STOPPED, FactKind.PAGED,
    FactKind.DISPOSITION,
})  # fmt: skip
"""What the script decides: it must come out the same, whatever the sound of it was."""
_SHOWN = 50
_PROMISES = (Disposition.PROMISE_TO_PAY, Disposition.PARTIAL_PROMISE)


@dataclass(frozen=True, slots=True)
class Difference:
    """One turn that is not as it was. `what`: path (another node), words (other sentences on the same way)."""

    turn: int
    ms: int
    heard: str
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """`diverged`: the first turn on another way, None where the way is the same. Outcomes are before and after.
    `identical`: what was decided is the journal's to the byte."""

    call_id: str
    turns: int
    differences: tuple[Difference, ...]
    disposition: tuple[str, str]
    handoff: tuple[bool, bool]
    violations: tuple[tuple[str, ...], tuple[str, ...]]
    journal_sha256: str
    identical: bool = False

    @property
    def diverged(self) -> int | None:
        return next((found.turn for found in self.differences if found.what == "path"), None)

    @property
    def same(self) -> bool:
        return not self.differences and self.disposition[0] == self.disposition[1]


def original(facts: Sequence[Fact]) -> list[Turn]:
    """The turns of a call as its journal has them, cut where something happened to the script."""
    marks = [fact.seq for fact, _ in events_of(facts)]
    turns: list[Turn] = []
    for at, first in enumerate(marks):
        last = marks[at + 1] if at + 1 < len(marks) else facts[-1].seq + 1
        turns.append(_turn([fact for fact in facts if first <= fact.seq < last], turns[-1] if turns else None))
    return turns


def compare(call_id: str, before: Sequence[Turn], replayed: Replayed, facts: Sequence[Fact]) -> Comparison:
    """What would be different. A call that ended earlier or later than it did is on another way from there."""
    differences = []
    for at in range(max(len(before), len(replayed.turns))):
        was = before[at] if at < len(before) else None
        now = replayed.turns[at] if at < len(replayed.turns) else None
        found = _difference(at, was, now)
        if found is not None:
            differences.append(found)
    outcome = outcome_of(facts)
    disposition = replayed.disposition
    if not outcome.answered or (outcome.disposition in (Disposition.FAILED, Disposition.NO_INPUT) and not disposition):
        disposition = outcome.disposition.value
    return Comparison(
        call_id=call_id,
        turns=len(before),
        differences=tuple(differences),
        disposition=(outcome.disposition.value, disposition or outcome.disposition.value),
        handoff=(any(turn.handoff for turn in before), replayed.handoff),
        violations=(tuple(sorted({rule for turn in before for rule in turn.gate})), replayed.violations),
        journal_sha256=replayed.sha256,
        identical=_decisions(facts) == _decisions_played(replayed.journal),
    )


def summary(comparisons: Sequence[Comparison]) -> dict[str, object]:
    """What a change of script comes to over many calls."""
    moved = Counter(c.disposition for c in comparisons if c.disposition[0] != c.disposition[1])
    promised = tuple(sum(c.disposition[side] in _PROMISES for c in comparisons) for side in (0, 1))
    return {
        "calls": len(comparisons),
        "same": sum(c.same for c in comparisons),
        "other_words": sum(bool(c.differences) and c.diverged is None for c in comparisons),
        "other_way": sum(c.diverged is not None for c in comparisons),
        "promises": promised,
        "handoffs": tuple(sum(c.handoff[side] for c in comparisons) for side in (0, 1)),
        "violating": tuple(sum(bool(c.violations[side]) for c in comparisons) for side in (0, 1)),
        "moved": [
            {"from": before, "to": after, "calls": count} for (before, after), count in sorted(moved.items())
        ],
        "divergences": _divergences(comparisons),
    }


def _divergences(comparisons: Sequence[Comparison]) -> list[dict[str, object]]:
    """Where calls first leave their way, the most frequent parting first, each with a call to listen to."""
    first: dict[tuple[str, str], list[tuple[Comparison, Difference]]] = {}
    for comparison in comparisons:
        for found in comparison.differences:
            if found.what == "path":
                first.setdefault((found.before, found.after), []).append((comparison, found))
                break
    ranked = sorted(first.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        {
            "before": before,
            "after": after,
            "calls": len(calls),
            "handed_over": sum(c.handoff[1] and not c.handoff[0] for c, _ in calls),
            "violating": sum(bool(c.violations[1]) and not c.violations[0] for c, _ in calls),
            "example": calls[0][0].call_id,
            "ms": calls[0][1].ms,
            "heard": calls[0][1].heard,
        }
        for (before, after), calls in ranked[:_SHOWN]
    ]


def as_row(comparison: Comparison) -> dict[str, object]:
    """A comparison as JSON values."""
    return {
        "call_id": comparison.call_id,
        "turns": comparison.turns,
        "same": comparison.same,
        "identical": comparison.identical,
        "diverged": comparison.diverged,
        "disposition": list(comparison.disposition),
        "handoff": list(comparison.handoff),
        "violations": [list(rules) for rules in comparison.violations],
        "journal_sha256": comparison.journal_sha256,
        "differences": [
            {"turn": d.turn, "ms": d.ms, "heard": d.heard, "what": d.what, "before": d.before, "after": d.after}
            for d in comparison.differences
        ],
    }


def _decisions(facts: Sequence[Fact]) -> bytes:
    return b"".join(_spelled(fact.kind.value, fact.data) for fact in facts if fact.kind in _DECISIONS)


def _decisions_played(journal: bytes) -> bytes:
    lines = (json.loads(line) for line in journal.splitlines())
    return b"".join(_spelled(line["kind"], line["data"]) for line in lines if line["kind"] in _DECISIONS)


def _spelled(kind: str, data: Mapping[str, object]) -> bytes:
    return json.dumps([kind, dict(data)], ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _turn(facts: Sequence[Fact], before: Turn | None) -> Turn:
    kinds: dict[FactKind, list[Mapping[str, object]]] = {}
    for fact in facts:
        kinds.setdefault(fact.kind, []).append(fact.data)
    decided = kinds.get(FactKind.DECIDED, [])
    node = str(decided[-1].get("to_node", "")) if decided else before.node if before else ""
    disposed = kinds.get(FactKind.DISPOSITION, [])
    disposition = str(disposed[-1].get("disposition", "")) if disposed else before.disposition if before else ""
    blocked = [data.get("rules") for data in kinds.get(FactKind.NOTE, []) if data.get("text") == "speech gate"]
    return Turn(
        at=dt.datetime.fromisoformat(facts[0].at),
        ms=facts[0].ms,
        told=str(facts[0].data.get("text", "")) or f"({facts[0].kind.value})",
        node=node,
        said=tuple(str(data.get("text", "")) for data in kinds.get(FactKind.SAYING, [])),
        branches=tuple(f"{data.get('branch')}→{data.get('to_node')}" for data in decided),
        verified=FactKind.VERIFIED in kinds or bool(before and before.verified),
        disposition=disposition,
        handoff=FactKind.TRANSFER_STARTED in kinds,
        gate=tuple(sorted({str(rule) for rules in blocked if isinstance(rules, list | tuple) for rule in rules})),
    )


def _difference(at: int, was: Turn | None, now: Turn | None) -> Difference | None:
    if was is None or now is None:
        there = was or now
        assert there is not None
        before, after = ("（没有）", there.node) if was is None else (there.node, "（已结束）")
        if there.told.startswith("(") and not there.said:  # nothing more than the end of the line
            return None
        return Difference(at, there.ms, there.told, "path", before, after)
    if was.node and was.node != now.node:  # a journal that does not say where the call began is no other way
        return Difference(at, was.ms, was.told, "path", was.node, now.node)
    if "".join(was.said) != "".join(now.said):
        return Difference(at, was.ms, was.told, "words", "".join(was.said), "".join(now.said))
    return None
