"""LiveGate: the last look at a sentence before it is spoken."""

from __future__ import annotations

from voicebot.compliance.gate import check_speech
from voicebot.compliance.speech_context import SpeechContext, record_of
from voicebot.dialog.rendering import speakable
from voicebot.domain.case import CallFacts, Case

SAFE = "抱歉，这个问题我需要请同事核实后再答复您。"
"""Spoken instead of a sentence that may not be said."""


class LiveGate:
    """Knows who listens and whether identity is verified."""

    def __init__(self, facts: CallFacts) -> None:
        self._today = facts.started_at.date()
        self._record = record_of(facts.case) if facts.case else None
        self._names = _names(facts)
        self._secrets = (speakable(facts.case.product),) if facts.case else ()
        self.verified = False
        self.listener = "unknown"

    def pass_on(self, text: str) -> tuple[str, list[str]]:
        """The sentence to speak and the ids of the rules that forbade the one given."""
        violations = check_speech(text, "bot", self._context())
        if not violations:
            return text, []
        return SAFE, sorted({violation.id for violation in violations})

    def alerts(self, text: str) -> list[str]:
        """The ids of the rules that a sentence of the agent breaks."""
        return sorted({violation.id for violation in check_speech(text, "agent", self._context())})

    def _context(self) -> SpeechContext:
        listener = "debtor" if self.verified else self.listener
        return SpeechContext(self.verified, listener, self._today, self._record, self._names, self._secrets)


def _names(facts: CallFacts) -> tuple[str, ...]:
    """Debtor and institutions as the dialog speaks them."""
    institution = facts.extra.get("institution", "")
    return (institution, *_names_of(facts.case)) if facts.case else (institution,)


def _names_of(case: Case) -> tuple[str, ...]:
    person = speakable(case.debtor.name)
    titles = tuple(person[:1] + title for title in ("先生", "女士"))
    return (person, *titles, speakable(case.creditor.name), speakable(case.creditor.neutral_name))
