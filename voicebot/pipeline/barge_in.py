"""Barge-in by words: which words of a caller stop the bot, and which only keep it company. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from voicebot.asr.recognizer import Syllable
from voicebot.pipeline.machine_words import syllables

_NOT_HAN = re.compile(r"[^\u4e00-\u9fff]")
_PAIRS = ("您说", "你说", "请说", "知道", "可以", "没事")
_COMPANY = re.compile(rf"^(?:[嗯恩啊哦噢喔呃额唉诶哎欸对好行是的了呢吧呀]|{'|'.join(_PAIRS)})*$")
_SOUNDS_OF_COMPANY = frozenset(syllables("嗯恩啊哦呃诶哎对好行是的了呢").split())
_LIKE_COMPANY = frozenset(
    ["fen", "zen", "gen", "ren", "hen", "zao", "gao", "cao", "dao", "si", "cui", "zui", "gui", "tui", "sui"]
)
"""What the telephone makes of 嗯, 好, 是 and 对: such a syllable may have been company as well as not."""
_SPOKEN_COMPANY = re.compile(
    "(?: (?:" + "|".join([*_SOUNDS_OF_COMPANY, *(syllables(pair).strip() for pair in _PAIRS)]) + "))*"
)
ENOUGH = 3
"""Syllables that interrupt when they are more than company."""
NEARLY_ENOUGH = 2.3
"""So many are three of which one is doubtful."""
NO_COMPANY = 1.5
"""Of them so many must be no company."""
SURELY_TWO = 1.85
"""So many where there are no three: two beyond doubt."""
THREE_TAKE_MS = 560
"""Three syllables of a slow speaker."""
_RATHER_NOT, _SURELY = 0.4, 0.7
TOGETHER_MS = 1000
"""Three syllables of one sentence come within less."""
LEAST_VOICE_MS = 64
"""A syllable is longer."""
REST_MS = 240
"""What the echo guard lets through of our own voice before it knows a line is shorter."""
BESIDE_COMPANY = 2
"""So many different ones of them must be no company: 好的到 or 哦哦再 is company with a rest of our own echo."""


def han(text: str) -> str:
    """Only the characters that are spoken."""
    return _NOT_HAN.sub("", text)


def is_company(text: str) -> bool:
    """True for back-channels (嗯, 对对, 好的, 您说): they ask the speaker to go on."""
    return bool(_COMPANY.match(han(text)))


def interrupts(text: str, insists: bool | None = None) -> bool:
    """True when a partial transcript should silence an interruptible sentence.

    `insists`: what its sound says, which then is all that counts: a language model may drop a syllable, wait for the
    next, or make words of our echo. None where the engine does not tell. Company is also known by its sound then: a
    recogniser that writes 二二二 or 嗯号 has heard 对对对 or 嗯好.
    """
    if insists is not None:
        return insists
    if len(han(text)) < ENOUGH or is_company(text):
        return False
    return len(set(syllables(text).split()) - _SOUNDS_OF_COMPANY) >= BESIDE_COMPANY


def insists(spoken: Sequence[Syllable], voiced_ms: int) -> bool:
    """True when what was heard so far should silence an interruptible sentence, whatever words it will become.

    `voiced_ms`: how long somebody spoke. Three syllables of which two are hardly company are enough; so are those two
    alone in the time of three, for the one between them was not read. Of a doubtful one counts what is likely, and what
    was heard a second ago, out of noise or echo, does not.
    """
    together = [one for one in spoken if spoken[-1].at_ms - one.at_ms <= TOGETHER_MS]
    company = [(one, _share_of_company(one)) for one in together]
    others = {_likeliest(one) for one, share in company if share < _RATHER_NOT and one.there > _SURELY}
    words = sum(one.there * (1 - share) for one, share in company)
    if words < NO_COMPANY or len(others) < BESIDE_COMPANY or _is_spoken_company(together):
        return False
    in_time = voiced_ms >= THREE_TAKE_MS and words >= SURELY_TWO
    return in_time or sum(one.there for one in together) >= NEARLY_ENOUGH


def _is_spoken_company(spoken: Sequence[Syllable]) -> bool:
    """知道了 and 嗯您说, as far as they have come."""
    return bool(_SPOKEN_COMPANY.fullmatch("".join(f" {_likeliest(one)}" for one in spoken)))


def _likeliest(syllable: Syllable) -> str:
    return max(syllable.sounds, key=syllable.sounds.__getitem__)


def _share_of_company(syllable: Syllable) -> float:
    """0..1: how likely it was company."""
    company = sum(chance * _company(sound) for sound, chance in syllable.sounds.items())
    return company / max(sum(syllable.sounds.values()), 1e-9)


def _company(sound: str) -> float:
    return 1.0 if sound in _SOUNDS_OF_COMPANY else 0.5 if sound in _LIKE_COMPANY else 0.0


def is_rest_of_echo(text: str, voiced_ms: int, *, echoes: bool, answers: bool) -> bool:
    """True when what began under our own words is no more than what is left of their echo.

    `voiced_ms`: how much of it was louder than a silenced line; `echoes`: our voice is known to come back on this
    line; `answers`: the words mean something after our question, as 对 or 不是 do.
    """
    if voiced_ms < LEAST_VOICE_MS:
        return True
    return echoes and voiced_ms < REST_MS and len(han(text)) < ENOUGH and not answers
