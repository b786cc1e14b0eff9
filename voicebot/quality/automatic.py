"""Automatic: questions of a scorecard that a journal answers by itself - yes, no, or it did not arise."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.quality import CallCheck, FindingKind

YES, NO, NOT_APPLICABLE = "yes", "no", "na"
Answer = Callable[[Sequence[Fact], CallCheck], str]

_IS_A_BOT = re.compile("人工智能|智能语音|智能助[手理]|机器人|AI")
_RECORDED = re.compile("录音")
_DISCLOSURES = frozenset({"F06", "F15"})
_WANTS_A_PERSON = "m_human"
_SOON_MS = 1500
_MOST_SLOW = 0.1


def _no_violation(facts: Sequence[Fact], check: CallCheck) -> str:
    """Nothing unlawful was spoken; what was held back does not count."""
    return NO if any(finding.kind is not FindingKind.BLOCKED for finding in check.findings) else YES


def _no_disclosure(facts: Sequence[Fact], check: CallCheck) -> str:
    spoken = (finding for finding in check.findings if finding.kind is not FindingKind.BLOCKED)
    return NO if any(_DISCLOSURES & set(finding.rules) for finding in spoken) else YES


def _opening(facts: Sequence[Fact], check: CallCheck) -> str:
    """What the bot said before the callee's second turn names what it is, and the recording."""
    said, turns = "", 0
    for fact in facts:
        turns += fact.kind is FactKind.HEARD
        if turns > 1:
            break
        if fact.kind is FactKind.SAID:
            said += str(fact.data.get("text", ""))
    if not said:
        return NOT_APPLICABLE
    return YES if _IS_A_BOT.search(said) and _RECORDED.search(said) else NO


def _danger_handled(facts: Sequence[Fact], check: CallCheck) -> str:
    if not any(fact.kind is FactKind.UNDERSTOOD and fact.data.get("danger") is True for fact in facts):
        return NOT_APPLICABLE
    return YES if any(fact.kind in (FactKind.PAGED, FactKind.TRANSFER_STARTED) for fact in facts) else NO


def _human_when_asked(facts: Sequence[Fact], check: CallCheck) -> str:
    asked = [at for at, fact in enumerate(facts) if fact.kind is FactKind.UNDERSTOOD and _top(fact) == _WANTS_A_PERSON]
    if not asked:
        return NOT_APPLICABLE
    offered = (FactKind.TRANSFER_STARTED, FactKind.CALLBACK_BOOKED)
    return YES if any(fact.kind in offered for fact in facts[asked[0] :]) else NO


def _promise_confirmed(facts: Sequence[Fact], check: CallCheck) -> str:
    made = [fact for fact in facts if fact.kind is FactKind.PROMISED]
    if not made:
        return NOT_APPLICABLE
    return YES if made[-1].data.get("confirmed") is True else NO


def _answers_soon(facts: Sequence[Fact], check: CallCheck) -> str:
    waits = [fact.data.get("turn_ms") for fact in facts if fact.kind is FactKind.LATENCY]
    if not waits:
        return NOT_APPLICABLE
    slow = sum(isinstance(ms, int) and ms > _SOON_MS for ms in waits)
    return YES if slow <= _MOST_SLOW * len(waits) else NO


def _top(fact: Fact) -> str:
    found = fact.data.get("intents")
    first = found[0] if isinstance(found, list | tuple) and found else {}
    return str(first.get("id", "")) if isinstance(first, Mapping) else str(first)


AUTOMATIC: Mapping[str, Answer] = {
    "no_violation": _no_violation,
    "no_disclosure": _no_disclosure,
    "opening": _opening,
    "danger_handled": _danger_handled,
    "human_when_asked": _human_when_asked,
    "promise_confirmed": _promise_confirmed,
    "answers_soon": _answers_soon,
}
"""Checks by the name that scorecards give them."""
