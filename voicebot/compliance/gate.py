"""The speech gate: may this sentence be said to this listener about this case, before it is synthesised.

Does it tell somebody of the debt who may not know (disclosure.py), does it assert what the record does not bear out
(record.py), is its wording forbidden as such (wording.py), and does it resemble forbidden wording (wording_model.py).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from voicebot.compliance.disclosure import disclosed
from voicebot.compliance.figures import NUMERAL, find_figures
from voicebot.compliance.record import unfounded
from voicebot.compliance.speech_context import SpeechContext
from voicebot.compliance.speech_text import BREAK, read_speech
from voicebot.compliance.wording import categories, forbidden_wording
from voicebot.compliance.wording_model import Reading, WordingModel, read_wording, shipped_model

_DISCLOSURE = {"F06": "向第三人透露债务", "F15": "核实身份之前透露债务"}
_REASONS = {category.id: category.reason for category in categories()} | {"F06": _DISCLOSURE["F06"]}
LAWFUL_AFTER_ALL = 0.85
"""Above this probability of being lawful, patterns that matched are taken for a coincidence."""
_SURE, _UNLIKELY, _ALSO = 0.5, 0.05, 0.35


@dataclass(frozen=True, slots=True)
class Violation:
    """Category F01–F18, the half-open span of the sentence it rests on, and why, in Chinese."""

    id: str
    start: int
    end: int
    reason: str


def warm() -> None:
    """Reads patterns and model now, so that the first sentence need not wait. WordingModelError with the remedy."""
    check_speech("您好。", "bot", SpeechContext(False, "unknown", dt.date(2000, 1, 1)))


def check_speech(text: str, speaker: str, context: SpeechContext) -> list[Violation]:
    """Violations in `text`, at most one per category, by position; none: it may be said.

    `speaker` is bot or agent: only a bot can lie about being one. WordingModelError when the model cannot be read.
    """
    return check_with(shipped_model(), text, speaker, context)


def check_with(model: WordingModel | None, text: str, speaker: str, context: SpeechContext) -> list[Violation]:
    """`check_speech` with another model; without one the patterns and the record judge alone."""
    speech = read_speech(_without_names(text, context))
    if not speech.text.strip(BREAK):
        return []
    figures = find_figures(speech.text, context.today)
    found: dict[str, tuple[int, int, str]] = {}
    told = disclosed(speech, context, figures)
    if told:
        found[told[0]] = (told[1], told[2], _DISCLOSURE[told[0]])
    for category, start, end, reason in unfounded(speech, context, figures):
        found.setdefault(category, (start, end, reason))
    certain = set(found)
    for kind, start, end in forbidden_wording(speech, speaker):
        found.setdefault(kind.id, (start, end, kind.reason))
    if model:
        _weigh(found, certain, read_wording(model, speech, context, bool(figures)))
    violations = [
        Violation(category, *speech.span(start, end), reason) for category, (start, end, reason) in found.items()
    ]
    return sorted(violations, key=lambda violation: (violation.start, violation.id))


def _weigh(found: dict[str, tuple[int, int, str]], certain: set[str], reading: Reading) -> None:
    """Set what the model reads against what the patterns found; facts and disclosure (`certain`) stand as they are."""
    patterns = set(found) - certain
    if reading.lawful > LAWFUL_AFTER_ALL:
        for category in patterns:
            del found[category]
        return
    if reading.suspected is None:
        return
    chances, category = reading.chances, reading.suspected
    if chances[category] > _SURE:
        for other in patterns - {category}:
            if chances[other] < _UNLIKELY:
                del found[other]
    if not found or chances[category] > _ALSO:
        found.setdefault(category, (reading.start, reading.end, "与禁语相似：" + _REASONS[category]))


def _without_names(text: str, context: SpeechContext) -> str:
    """Proper names become as many 某: a product called 循环贷 or a Mr 万 says nothing."""
    names = context.names + (context.secrets if context.may_disclose else ())
    for name in sorted(names, key=len, reverse=True):
        if len(name) > 1:
            text = re.sub(f"(?<!{NUMERAL}){re.escape(name)}(?!{NUMERAL})", "某" * len(name), text)
    return text
