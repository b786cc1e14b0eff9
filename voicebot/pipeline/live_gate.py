"""LiveGate: the last look at a sentence before it is spoken."""

from __future__ import annotations

from voicebot.compliance.gate import check_speech
from voicebot.compliance.speech_context import SpeechContext, record_of
from voicebot.domain.case import CallFacts

SAFE = "抱歉，这个问题我需要请同事核实后再答复您。"
"""Spoken instead of a sentence that may not be said."""


class LiveGate:
    """Knows who listens and whether identity is verified."""

    def __init__(self, facts: CallFacts) -> None:
        self._facts = facts
        self.verified = False
        self.listener = "unknown"

    def pass_on(self, text: str) -> tuple[str, list[str]]:
        """The sentence to speak and the ids of the rules that forbade the one given."""
        violations = check_speech(text, "bot", self._context())
        if not violations:
            return text, []
        return SAFE, sorted({violation.id for violation in violations})

    def _context(self) -> SpeechContext:
        case = self._facts.case
        listener = "debtor" if self.verified else self.listener
        return SpeechContext(self.verified, listener, self._facts.started_at.date(), record_of(case) if case else None)
