"""BySound: hot words for engines that take none: what sounds like a word of the call is written as that word. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from voicebot.mandarin.pinyin import char_readings

TONELESS_FROM = 3
"""So many characters that sound like a word are that word in any tone; two must have its tones too."""


class BySound:
    """The words of one call (names, products, sums). A recogniser that has never seen 裴沐昕 writes 陪木新."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(word for word in words if word)
        self._sought = sorted((word for word in dict.fromkeys(self.words) if len(word) > 1), key=len, reverse=True)
        self._last = ("", "")

    def spell(self, text: str) -> str:
        """`text` with each word of the call that was heard in it, as it is written; of the same length."""
        if text != self._last[0]:
            self._last = text, self._spelt(text)
        return self._last[1]

    def _spelt(self, text: str) -> str:
        written, found = list(text), [False] * len(text)
        for word in self._sought:
            for at in range(len(text) - len(word) + 1):
                here = slice(at, at + len(word))
                if not any(found[here]) and _sounds_like(text[here], word):
                    written[here], found[here] = word, [True] * len(word)
        return "".join(written)


def _sounds_like(heard: str, word: str) -> bool:
    toneless = len(word) >= TONELESS_FROM
    return all(one == other or _alike(one, other, toneless) for one, other in zip(heard, word, strict=True))


@lru_cache(maxsize=16384)
def _alike(one: str, other: str, toneless: bool) -> bool:
    first, second = (_sounds(char, toneless) for char in (one, other))
    return not first.isdisjoint(second)


@lru_cache(maxsize=8192)
def _sounds(char: str, toneless: bool) -> frozenset[str]:
    return frozenset(reading[:-1] if toneless else reading for reading in char_readings(char))
