"""The speech gate: may this sentence be said to this listener about this case, before it is synthesised.

Does it tell somebody of the debt who may not know (disclosure.py), does it assert what the record does not bear out
(record.py), is its wording forbidden as such (wording.py), and does it resemble forbidden wording (wording_model.py);
weighing.py says what of it stands.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from dataclasses import dataclass

from voicebot.compliance.disclosure import disclosed, says_of_debt
from voicebot.compliance.figures import NUMERAL, find_figures
from voicebot.compliance.record import borne_out, speaks_as_creditor, unfounded
from voicebot.compliance.speech_context import SpeechContext
from voicebot.compliance.speech_text import BREAK, SpeechText, read_speech
from voicebot.compliance.weighing import Evidence, weigh
from voicebot.compliance.wording import categories, claims_to_be_human, forbidden_wording
from voicebot.compliance.wording_model import NOTHING_READ, WordingModel, clause_for, read_wording, shipped_model

_DISCLOSURE = {"F06": "向第三人透露债务", "F15": "核实身份之前透露债务"}
_REASONS = {category.id: category.reason for category in categories()} | {"F06": _DISCLOSURE["F06"]}


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
    found, evidence = _collect(model, speech, speaker, context)
    standing = weigh(evidence) if model else set(found)
    if "F07" in standing and evidence.disclosure == "F06" and not says_of_debt(speech):
        standing.discard("F06")
    if evidence.disclosure == "F06":
        standing.discard("F15")  # one disclosure is one violation
    violations = []
    for category in standing:
        start, end, reason = found.get(category) or _suspicion(model, speech, context, category)
        violations.append(Violation(category, *speech.span(start, end), reason))
    return sorted(violations, key=lambda violation: (violation.start, violation.id))


def _collect(
    model: WordingModel | None, speech: SpeechText, speaker: str, context: SpeechContext
) -> tuple[dict[str, tuple[int, int, str]], Evidence]:
    """What was found where, by category, and the same as evidence to be weighed."""
    figures = find_figures(speech.text, context.today)
    found: dict[str, tuple[int, int, str]] = {}
    told = disclosed(speech, context, figures)
    if told:
        found[told[0]] = (told[1], told[2], _DISCLOSURE[told[0]])
    facts, patterns = set(), set()
    if not told:  # who must not hear of the debt at all is not told a wrong figure on top
        for category, start, end, reason in unfounded(speech, context, figures):
            found.setdefault(category, (start, end, reason))
            facts.add(category)
    for kind, start, end in forbidden_wording(speech, speaker):
        found.setdefault(kind.id, (start, end, kind.reason))
        patterns.add(kind.id)
        if kind.id == "F16" and speaker == "bot" and claims_to_be_human(speech):
            facts.add("F16")  # a bot knows what it is
    if "F13" not in facts and speaks_as_creditor(speech, context):
        patterns.discard("F13")
        context = dataclasses.replace(context, case=None)
    human = speaker != "bot" and "F16" not in patterns and claims_to_be_human(speech)
    reading = read_wording(model, speech, context, borne_out(context, figures), human) if model else NOTHING_READ
    chances = _clause_by_clause(model, speech, context, reading.chances, {k: found[k] for k in patterns - facts}) if (
        model and facts
    ) else reading.chances
    return found, Evidence(facts, told[0] if told else None, patterns, reading.lawful, chances, reading.suspects)


def _clause_by_clause(
    model: WordingModel,
    speech: SpeechText,
    context: SpeechContext,
    chances: dict[str, float],
    matched: dict[str, tuple[int, int, str]],
) -> dict[str, float]:
    """Chances in which a clause that a pattern matched speaks for itself, beside a wrong figure in another one."""
    raised = dict(chances)
    for label, (start, end, _) in matched.items():
        first, last = speech.clause(start, end)
        raised[label] = max(raised[label], model.probabilities(speech.text[first:last], context.listener)[label])
    return raised


def _suspicion(
    model: WordingModel | None, speech: SpeechText, context: SpeechContext, category: str
) -> tuple[int, int, str]:
    """Span and reason of a category that only the model found: the clause that speaks for it most."""
    assert model is not None
    return *clause_for(model, speech, context.listener, category), "与禁语相似：" + _REASONS[category]


def _without_names(text: str, context: SpeechContext) -> str:
    """Proper names become as many 某: a product called 循环贷 or a Mr 万 says nothing."""
    names = context.names + (context.secrets if context.may_disclose else ())
    for name in sorted(names, key=len, reverse=True):
        if len(name) > 1:
            text = re.sub(f"(?<!{NUMERAL}){re.escape(name)}(?!{NUMERAL})", "某" * len(name), text)
    return text
