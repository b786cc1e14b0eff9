"""Wording that is forbidden as such: patterns per category, read from data, with denial and quotation let through."""

from __future__ import annotations

import importlib.resources
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from voicebot.compliance.speech_text import SpeechText, is_denied, is_disclaimed, is_quoted


@dataclass(frozen=True, slots=True)
class Category:
    """One category of forbidden speech: its id, what it is in Chinese, and its pattern."""

    id: str
    reason: str
    pattern: re.Pattern[str] | None
    blunt: re.Pattern[str] | None


_SHORT_GAP = re.compile(r"\.(?=\{0,(?:[0-9]|10)\})")


def _compile(patterns: list[str]) -> re.Pattern[str] | None:
    """One pattern of many; a gap of up to ten characters does not reach over a pause."""
    return re.compile(_SHORT_GAP.sub("[^，]", "|".join(patterns))) if patterns else None


@cache
def categories() -> tuple[Category, ...]:
    """The categories that ship; the words are matched against `SpeechText.text`."""
    data = json.loads((importlib.resources.files(__package__) / "data" / "wording.json").read_bytes())
    return tuple(
        Category(id, entry["reason"], _compile(entry["patterns"]), _compile(entry.get("blunt", [])))
        for id, entry in data["categories"].items()
    )


_ONLY_BOTS = re.compile(
    "我(就)?(是|真的是)(个)?(真人|人工|人$)|不是(语音)?(机器人|人工智能|程序|ai)|活生生的人|真声|当然是(真)?人|真的是人"
)
_ALWAYS_A_LIE = re.compile("(前面|刚才|刚刚).{0,10}(是真人|也是人|不是什么ai)|机器人.{0,10}也是人")
_HONEST = re.compile("不是真人|(?<!不)是(智能|语音)?(机器人|人工智能|ai)|转(接)?.{0,6}(人工|真人)")


def _denies_being_a_machine(speech: SpeechText, speaker: str) -> re.Match[str] | None:
    found = _ALWAYS_A_LIE.search(speech.text)
    if found or speaker != "bot":
        return found
    found = _ONLY_BOTS.search(speech.text)
    honest = found and any(hit.start() <= found.end() <= hit.end() + 2 for hit in _HONEST.finditer(speech.text))
    return None if honest else found


def claims_to_be_human(speech: SpeechText) -> bool:
    """我是真人: a lie from a bot, the truth from an agent."""
    return bool(_ONLY_BOTS.search(speech.text))


def forbidden_wording(speech: SpeechText, speaker: str) -> Iterator[tuple[Category, int, int]]:
    """The first undenied find of each category, as offsets into `speech.text`."""
    for category in categories():
        for start, end, blunt in _finds(category, speech):
            if not _harmless(category.id, speech, start, end, blunt):
                yield category, start, end
                break
        else:
            lie = _denies_being_a_machine(speech, speaker) if category.id == "F16" else None
            if lie:
                yield category, lie.start(), lie.end()


def _finds(category: Category, speech: SpeechText) -> Iterator[tuple[int, int, bool]]:
    """Start, end and bluntness of every find."""
    for pattern, blunt in ((category.pattern, False), (category.blunt, True)):
        if pattern is not None:
            yield from ((found.start(), found.end(), blunt) for found in pattern.finditer(speech.text))


# These deny by their nature ("没有录音", "没有法律效力"): a denial inside the words is no excuse.
_DENYING = frozenset({"F01", "F02", "F14", "F16", "F17", "F18"})
_NO_DISCLAIMER = frozenset({"F02", "F14", "F16", "F18"})


def _harmless(category: str, speech: SpeechText, start: int, end: int, blunt: bool) -> bool:
    """True when the words are denied, quoted or disclaimed; blunt words count whatever denial they hold."""
    if blunt and category in _DENYING:
        return False
    within = start if blunt or category in _DENYING else end
    disclaimed = category not in _NO_DISCLAIMER and is_disclaimed(speech, start, end)
    return is_denied(speech, start, within) or disclaimed or is_quoted(speech, start, start)
