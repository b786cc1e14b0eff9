"""Documents of a bundle that are read out of the header and the journal when the call is sealed.

The same facts for readers who open files: nothing here has another source. `told(...)` gives the same bytes for the
same call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from voicebot.domain.journal import Fact, FactKind
from voicebot.evidence.journal import plain
from voicebot.evidence.limitation import limitation_events
from voicebot.evidence.spelling import canonical
from voicebot.evidence.transcript import transcript_lines

DECISIONS = (
    FactKind.ANSWERED_BY,
    FactKind.DECIDED,
    FactKind.VERIFIED,
    FactKind.STOPPED,
    FactKind.PAGED,
    FactKind.TRANSFER_STARTED,
    FactKind.CALLBACK_BOOKED,
    FactKind.GATE_ALERT,
    FactKind.DISPOSITION,
)


def told(header: Mapping[str, Any], facts: Sequence[Fact], closing: Mapping[str, object]) -> dict[str, bytes]:
    """Every member of `format.TOLD`. `closing`: the state of machine and clock when the call was sealed."""
    papers = header.get("papers") or {}
    environment = {"at_start": header["environment"], "at_end": plain(closing)}
    return {
        "decisions.jsonl": _rows([_by_what(header, facts, papers), *_decisions(facts)]),
        "environment.json": canonical(environment),
        "limitation.jsonl": _rows(limitation_events(facts)),
        "messages.jsonl": _rows(papers.get("messages", ())),
        "permission.json": canonical(papers.get("permission")),
        "promise.json": canonical({"made": _promise(facts), "before": papers.get("promise")}),
        "transcript.jsonl": _rows(transcript_lines(facts)),
    }


def _rows(rows: Iterable[object]) -> bytes:
    return b"".join(canonical(plain(row)) + b"\n" for row in rows)


def _by_what(header: Mapping[str, Any], facts: Sequence[Fact], papers: Mapping[str, Any]) -> dict[str, object]:
    """The first line of decisions.jsonl: the hashes of script, rules and software that decided."""
    started = next((fact.data for fact in facts if fact.kind is FactKind.STARTED), {})
    permission = papers.get("permission") or {}
    return {
        "by": {
            "script": started.get("script"),
            "script_version": started.get("script_version"),
            "script_sha256": started.get("script_sha256"),
            "rules_sha256": permission.get("pack_sha256") or header["environment"].get("rules_sha256"),
            "software_sha256": header["environment"].get("software_sha256"),
        }
    }


def _decisions(facts: Iterable[Fact]) -> Iterable[dict[str, object]]:
    for fact in facts:
        blocked = fact.kind is FactKind.NOTE and fact.data.get("text") == "speech gate"
        if fact.kind in DECISIONS or blocked:
            yield {"at": fact.at, "ms": fact.ms, "seq": fact.seq, "kind": fact.kind, "data": fact.data}


def _promise(facts: Iterable[Fact]) -> dict[str, object] | None:
    """The promise of this call, the last one, and where it is heard."""
    made = [fact for fact in facts if fact.kind is FactKind.PROMISED]
    return {"at": made[-1].at, "ms": made[-1].ms, **made[-1].data} if made else None
