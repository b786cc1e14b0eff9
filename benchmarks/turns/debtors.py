"""What the debtors of the benchmark say: four turns in several wordings and voices, one of them cutting in."""

from __future__ import annotations

from typing import Final

from benchmarks.turns.phone import Line, framed, trimmed
from voicebot.tts.synthesizer import Synthesizer

VOICES: Final = ("m3", "f2", "m1", "f4")
ANSWERS: Final = (
    ("我是，您说", "对，我就是", "嗯，是我", "是我本人"),
    ("四三二一", "四三二一", "后四位是四三二一", "四三二一"),
    ("我明天就还了你放心", "我后天下午还可以吗", "我这个周五就还", "我月底之前会还清"),
    ("对，没问题", "好的，可以", "对，是的", "可以，没问题"),
)
CUTS_IN: Final = 2
"""The turn in which the debtor does not wait; its first three syllables are more than a back-channel."""


def debtors(voice: Synthesizer) -> list[list[Line]]:
    """The lines of each debtor."""
    return [[_line(voice, said[number], spec, turn == CUTS_IN) for turn, said in enumerate(ANSWERS)]
            for number, spec in enumerate(VOICES)]


def _line(voice: Synthesizer, text: str, spec: str, cuts_in: bool) -> Line:
    def speech(words: str) -> bytes:
        return trimmed(voice.synthesize(words, spec))

    third_s = len(speech(text[:3])) / 16000 if cuts_in else 0.0
    return Line(framed(speech(text)), cuts_in, third_s)
