"""Barge-in by words: which words of a caller stop the bot, and which only keep it company. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from voicebot.pipeline.machine_words import syllables

_NOT_HAN = re.compile(r"[^\u4e00-\u9fff]")
_COMPANY = re.compile(
    r"^(?:嗯|恩|啊|哦|噢|喔|呃|额|唉|诶|哎|欸|对|好|行|是|的|了|呢|吧|呀|您说|你说|请说|知道|可以|没事)*$"
)
_SOUNDS_OF_COMPANY = frozenset(syllables("嗯恩啊哦呃诶哎对好行是的了呢").split())
ENOUGH = 3
"""Syllables that interrupt when they are more than company."""
THREE_TAKE_MS = 600
"""Three syllables of a slow speaker."""
_HARDLY, _CLEAR = 0.05, 0.5
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


def interrupts(text: str) -> bool:
    """True when a partial transcript should silence an interruptible sentence.

    Company is also known by its sound: a recogniser that writes 二二二 or 嗯号 has heard 对对对 or 嗯好.
    """
    if len(han(text)) < ENOUGH or is_company(text):
        return False
    return len(set(syllables(text).split()) - _SOUNDS_OF_COMPANY) >= BESIDE_COMPANY


def insists(spoken: Sequence[Mapping[str, float]], voiced_ms: int) -> bool:
    """True when what was heard so far should silence an interruptible sentence, whatever words it will become.

    `spoken`: what each syllable may have been, toneless, with its probability; `voiced_ms`: how long somebody spoke.
    Three syllables of which two can hardly be company are enough; so are two clear ones in the time of three, for the
    one between them was not read. A language model may drop a syllable or wait for the next; this does not.
    """
    others = {_likeliest(one) for one in spoken if _share_of_company(one) < _HARDLY}
    if len(spoken) >= ENOUGH:
        return len(others) >= BESIDE_COMPANY
    clear = {_likeliest(one) for one in spoken if _share_of_company(one) < _HARDLY and max(one.values()) > _CLEAR}
    return len(clear) >= BESIDE_COMPANY and voiced_ms >= THREE_TAKE_MS


def _likeliest(syllable: Mapping[str, float]) -> str:
    return max(syllable, key=syllable.__getitem__)


def _share_of_company(syllable: Mapping[str, float]) -> float:
    company = sum(chance for sound, chance in syllable.items() if sound in _SOUNDS_OF_COMPANY)
    return company / max(sum(syllable.values()), 1e-9)


def is_rest_of_echo(text: str, voiced_ms: int, *, echoes: bool, answers: bool) -> bool:
    """True when what began under our own words is no more than what is left of their echo.

    `voiced_ms`: how much of it was louder than a silenced line; `echoes`: our voice is known to come back on this
    line; `answers`: the words mean something after our question, as 对 or 不是 do.
    """
    if voiced_ms < LEAST_VOICE_MS:
        return True
    return echoes and voiced_ms < REST_MS and len(han(text)) < ENOUGH and not answers
