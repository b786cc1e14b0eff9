"""The speech gate: may this sentence be said to this listener about this case, before it is synthesised.

Three questions: does it tell somebody of the debt who may not know (disclosure.py), does it assert what the
record does not bear out (record.py), and is its wording forbidden as such (wording.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from voicebot.compliance.disclosure import disclosed
from voicebot.compliance.figures import NUMERAL, find_figures
from voicebot.compliance.record import unfounded
from voicebot.compliance.speech_context import SpeechContext
from voicebot.compliance.speech_text import read_speech
from voicebot.compliance.wording import forbidden_wording

_DISCLOSURE = {"F06": "向第三人透露债务", "F15": "核实身份之前透露债务"}


@dataclass(frozen=True, slots=True)
class Violation:
    """Category F01–F18, the half-open span of the sentence it rests on, and why, in Chinese."""

    id: str
    start: int
    end: int
    reason: str


def check_speech(text: str, speaker: str, context: SpeechContext) -> list[Violation]:
    """Violations in `text`, at most one per category, by position; none: it may be said.

    `speaker` is bot or agent: only a bot can lie about being one.
    """
    speech = read_speech(_without_names(text, context))
    if not speech.text:
        return []
    figures = find_figures(speech.text, context.today)
    found: dict[str, tuple[int, int, str]] = {}
    told = disclosed(speech, context, figures)
    if told:
        found[told[0]] = (told[1], told[2], _DISCLOSURE[told[0]])
    for category, start, end, reason in unfounded(speech, context, figures):
        found.setdefault(category, (start, end, reason))
    for kind, start, end in forbidden_wording(speech, speaker):
        found.setdefault(kind.id, (start, end, kind.reason))
    violations = [
        Violation(category, *speech.span(start, end), reason) for category, (start, end, reason) in found.items()
    ]
    return sorted(violations, key=lambda violation: (violation.start, violation.id))


def _without_names(text: str, context: SpeechContext) -> str:
    """Proper names become as many 某: a product called 循环贷 or a Mr 万 says nothing."""
    names = context.names + (context.secrets if context.may_disclose else ())
    for name in sorted(names, key=len, reverse=True):
        if len(name) > 1:
            text = re.sub(f"(?<!{NUMERAL}){re.escape(name)}(?!{NUMERAL})", "某" * len(name), text)
    return text
