"""What the debtors of the benchmark say: four turns in several wordings and voices, one of them cutting in."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from benchmarks.turns.phone import FRAME_BYTES, Line, framed, trimmed
from voicebot.audio.frames import RATE
from voicebot.mandarin.pinyin import Word, read
from voicebot.tts.espeak import engine, tokens_of
from voicebot.tts.synthesizer import Synthesizer
from voicebot.tts.voices import parse_voice

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
    speech = trimmed(voice.synthesize(text, spec))
    fill_s = -len(speech) % FRAME_BYTES / (2 * RATE)
    return Line(framed(speech), cuts_in, fill_s + third_s(text, spec) if cuts_in else 0.0)


def third_s(text: str, spec: str) -> float:
    """When the third syllable is out, in seconds: where espeak-ng begins the word after it, and so a word must end
    there. In a sentence of its own the third syllable would be longer than here."""
    words = read(text)
    ends = list(accumulate(len(word.syllables) for word in words))
    return engine().speak(words, parse_voice(spec)).starts_ms[_tokens(words[: ends.index(3) + 1])] / 1000


def _tokens(words: Sequence[Word]) -> int:
    return sum(len(tokens_of(word, joined=True)) for word in words)
