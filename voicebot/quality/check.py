"""Check: what was said in a call that is over, held once more against the speech gate - by the bot and by people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from voicebot.call.outcome import outcome_of
from voicebot.domain.case import CallFacts, Case
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.outcome import Disposition
from voicebot.domain.quality import CallCheck, Finding, FindingKind, SpokenLine
from voicebot.evidence.reading import TranscriptLine, transcript_lines
from voicebot.pipeline.live_gate import LiveGate

_RISK: Mapping[FindingKind, int] = {FindingKind.AGENT: 40, FindingKind.SLIPPED: 40, FindingKind.BLOCKED: 15}
_RISKY: Mapping[Disposition, int] = {
    Disposition.COMPLAINT: 35,
    Disposition.VULNERABLE: 35,
    Disposition.ABUSIVE: 15,
    Disposition.DISPUTE: 10,
    Disposition.DO_NOT_CALL: 10,
    Disposition.HUMAN_REQUESTED: 5,
}
_ANGRY, _DANGER, _BROKEN, _FAILED = 5, 40, 20, 10


def check_call(call_id: str, facts: Sequence[Fact], case: Case | None, now: dt.datetime) -> CallCheck:
    """Look at every sentence as it was allowed to be said then: who listened, whether they were verified, what was due.

    Facts in order. Raises nothing for a journal that was cut.
    """
    gate = LiveGate(_facts_of(call_id, facts, case))
    findings: list[Finding] = []
    for fact in facts:
        if fact.kind is FactKind.VERIFIED:
            gate.verified = True
        elif fact.kind is FactKind.ANSWERED_BY and fact.data.get("kind") == "voicemail":
            gate.listener = "voicemail"
        else:
            findings += _look(gate, fact)
    return CallCheck(
        call_id=call_id,
        at=now,
        findings=tuple(findings),
        sentences=sum(fact.kind is FactKind.SAID for fact in facts),
        agent_sentences=sum(fact.kind is FactKind.AGENT_HEARD for fact in facts),
        risk=_risk(facts, findings),
    )


def spoken_lines(facts: Iterable[Fact]) -> list[SpokenLine]:
    """The transcript with people's sentences, numbered in order of beginning: what a search goes through."""
    told = list(facts)
    agent = [
        TranscriptLine("agent", str(f.data.get("text", "")), _ms(f, "start_ms", f.ms), _ms(f, "end_ms", f.ms))
        for f in told
        if f.kind is FactKind.AGENT_HEARD
    ]
    lines = sorted([*transcript_lines(told), *agent], key=lambda line: line.start_ms)
    return [
        SpokenLine(number, line.speaker, line.start_ms, line.end_ms, line.text)
        for number, line in enumerate(line for line in lines if line.text)
    ]


def facts_at(call_id: str, facts: Sequence[Fact], case: Case | None) -> CallFacts:
    """What the script knew when the call began, the case with the figures of that day where the journal has them."""
    return _facts_of(call_id, facts, case)


def _facts_of(call_id: str, facts: Sequence[Fact], case: Case | None) -> CallFacts:
    began = dt.datetime.fromisoformat(facts[0].at) if facts else dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    started = next((fact.data for fact in facts if fact.kind is FactKind.STARTED), {})
    return CallFacts(call_id, began, _case_then(case, started), direction=str(started.get("direction", "outbound")))


def _case_then(case: Case | None, started: Mapping[str, object]) -> Case | None:
    amount, overdue, as_of = (started.get(key) for key in ("amount_fen", "overdue_days", "as_of"))
    if case is None or not isinstance(amount, int) or not isinstance(overdue, int):
        return case
    day = dt.date.fromisoformat(as_of) if isinstance(as_of, str) else case.as_of
    return replace(case, amount_fen=amount, overdue_days=overdue, as_of=day)


def _look(gate: LiveGate, fact: Fact) -> Iterable[Finding]:
    text = str(fact.data.get("text", ""))
    if fact.kind is FactKind.NOTE and text == "speech gate":
        blocked, rules = str(fact.data.get("blocked", "")), fact.data.get("rules")
        names = tuple(str(rule) for rule in rules) if isinstance(rules, list | tuple) else ()
        yield Finding(fact.seq, FindingKind.BLOCKED, "bot", names, blocked, fact.ms, fact.ms)
    elif fact.kind is FactKind.SAID and text:
        _, rules_ = gate.pass_on(text)
        if rules_:
            start = max(0, fact.ms - _ms(fact, "heard_ms", 0))
            yield Finding(fact.seq, FindingKind.SLIPPED, "bot", tuple(rules_), text, start, fact.ms)
    elif fact.kind is FactKind.AGENT_HEARD and text:
        alarms = gate.alerts(text)
        if alarms:
            start, end = _ms(fact, "start_ms", fact.ms), _ms(fact, "end_ms", fact.ms)
            yield Finding(fact.seq, FindingKind.AGENT, "agent", tuple(alarms), text, start, end)


def _risk(facts: Sequence[Fact], findings: Sequence[Finding]) -> int:
    """0 to 100: findings weigh most, then danger, how it ended, anger, and what broke on our side."""
    risk = sum(_RISK[finding.kind] for finding in findings)
    risk += _RISKY.get(outcome_of(facts).disposition, 0)
    for fact in facts:
        if fact.kind is FactKind.UNDERSTOOD:
            emotion = fact.data.get("emotion")
            risk += _ANGRY * (isinstance(emotion, Mapping) and emotion.get("label") == "angry")
            risk += _DANGER * (fact.data.get("danger") is True)
        risk += _BROKEN * (fact.kind is FactKind.BRAIN_LOST) + _FAILED * (fact.kind is FactKind.TRANSFER_FAILED)
    return min(100, risk)


def _ms(fact: Fact, key: str, otherwise: int) -> int:
    value = fact.data.get(key)
    return round(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise
