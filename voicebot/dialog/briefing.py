"""Briefing: what an agent hears alone before the callee is joined, in five to eight seconds of speech."""

from __future__ import annotations

import re
from dataclasses import dataclass

from voicebot.dialog.rendering import speakable, spoken_amount, spoken_number
from voicebot.domain.case import Case, Promise
from voicebot.domain.understanding import EmotionLabel

SHORTEST_S, LONGEST_S = 5.0, 8.0
HANZI_S, PAUSE_S = 0.185, 0.22
"""What a hanzi and a pause take in the embedded voice (measured: 33 hanzi and 6 pauses in 7.5 s)."""
ASIDE = "请接听，他在线上等您。"
"""Said behind a briefing that would be over before the agent has sat up."""
_HANZI = re.compile(r"[一-鿿]")
_PAUSE = re.compile(r"[，。？！；：、]")
_FELT = {
    EmotionLabel.ANGRY: "情绪激动",
    EmotionLabel.ANXIOUS: "有些焦虑",
    EmotionLabel.SAD: "情绪低落",
    EmotionLabel.SARCASTIC: "语带讽刺",
    EmotionLabel.CONFUSED: "还没听明白",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What the dialog knows when it fetches a person. `about_debt` False: the bill is no topic any more."""

    why: str
    case: Case | None
    verified: bool
    about_debt: bool = True
    promise: Promise | None = None
    emotion: EmotionLabel = EmotionLabel.NEUTRAL


def briefing(known: Known) -> str:
    """The sentence, most important first; what would make it longer than LONGEST_S is left to the screen."""
    said = f"{_who(known)}。{speakable(known.why).strip('。；，')}"
    for part in _more(known):
        if seconds(f"{said}，{part}。") <= LONGEST_S:
            said = f"{said}，{part}"
    said += "。"
    return said if seconds(said) >= SHORTEST_S else said + ASIDE


def seconds(text: str) -> float:
    """About how long a voice takes for `text`, in seconds; digits must be written out."""
    return len(_HANZI.findall(text)) * HANZI_S + len(_PAUSE.findall(text)) * PAUSE_S


def _who(known: Known) -> str:
    if known.case is None:
        return "来电号码没有对应的客户"
    return f"{speakable(known.case.debtor.name)}，身份{'已' if known.verified else '未'}核实"


def _more(known: Known) -> list[str]:
    """What else is worth a second, best first."""
    parts = [_FELT[known.emotion]] if known.emotion in _FELT else []
    if known.about_debt and known.promise is not None:
        day = known.promise.date
        parts.append(
            f"答应{spoken_number(day.month)}月{spoken_number(day.day)}日还{spoken_amount(known.promise.amount_fen)}"
        )
    if known.about_debt and known.case is not None:
        parts.append(f"逾期{spoken_number(known.case.overdue_days)}天")
        parts.append(f"应还{spoken_amount(known.case.amount_fen)}")
    return parts
