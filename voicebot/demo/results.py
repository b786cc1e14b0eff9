"""Results of a demonstration: what each call came to, what it should have come to, and whether its bundle verifies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicebot.call.outcome import outcome_of
from voicebot.demo.persona import Persona
from voicebot.dialog.discretion import gives_away
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.records import CallRecord
from voicebot.evidence.reading import read_journal
from voicebot.evidence.verify import verify_bundle


@dataclass(frozen=True, slots=True)
class DemoCall:
    """One call of the demonstration. `leaked`: the debt was named before identity was verified."""

    record: CallRecord
    persona: Persona
    disposition: str
    promise: dict[str, Any] | None
    handoff: bool
    duration_s: float
    bundle: Path
    verified: bool
    leaked: bool
    failures: tuple[str, ...]

    @property
    def as_expected(self) -> bool:
        return self.disposition == self.persona.expected.value

    def row(self) -> dict[str, Any]:
        return {
            "call_id": self.record.id,
            "case_id": self.record.case_id,
            "persona": self.persona.id,
            "disposition": self.disposition,
            "expected_disposition": self.persona.expected.value,
            "promise": self.promise,
            "handoff": self.handoff,
            "expected_handoff": self.persona.expected_handoff,
            "duration_s": self.duration_s,
            "bundle": str(self.bundle),
            "verified": self.verified,
            "disclosed_before_verified": self.leaked,
            "failures": list(self.failures),
        }


def result_of(record: CallRecord, persona: Persona, recordings: Path) -> DemoCall:
    """Read the result of a call that is over from its bundle alone."""
    bundle = recordings / (record.bundle or "")
    verdict = verify_bundle(bundle)
    facts = read_journal(bundle)
    outcome = outcome_of(facts)
    promise = outcome.promise
    return DemoCall(
        record=record,
        persona=persona,
        disposition=outcome.disposition.value,
        promise={"date": promise.date.isoformat(), "amount_fen": promise.amount_fen} if promise else None,
        handoff=outcome.handoff,
        duration_s=round(outcome.talk_ms / 1000, 1),
        bundle=bundle,
        verified=verdict.valid,
        leaked=_leaked(facts),
        failures=tuple(f"{code}: {what}" for code, what in verdict.failures),
    )


def _leaked(facts: list[Fact]) -> bool:
    for fact in facts:
        if fact.kind is FactKind.VERIFIED:
            return False
        if fact.kind is FactKind.SAYING and gives_away(str(fact.data["text"])):
            return True
    return False
