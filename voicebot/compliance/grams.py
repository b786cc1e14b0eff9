"""What the wording model sees of a sentence: hashed n-grams of characters and of toneless sounds."""

from __future__ import annotations

import re
import unicodedata
import zlib
from functools import cache

from pypinyin.pinyin_dict import pinyin_dict

_FIGURES = re.compile("[0-9零一二三四五六七八九十百千万两]{2,}|[0-9]")
_QUESTION = re.compile("[?？吗呢吧][?？。\\s]*$")


def grams(text: str, listener: str) -> set[str]:
    """Names of the features of `SpeechText.text`: `c` characters, `p` sounds, who listens, whether it asks.

    Figures are masked: whether they are right is a matter of the record, not of wording.
    """
    found = {"l" + listener}
    if _QUESTION.search(text):
        found.add("q")
    for clause in _FIGURES.sub("#", text).split("，"):
        line = f"^{clause}$"
        found.update("c" + line[i : i + size] for size in (1, 2, 3) for i in range(len(line) - size + 1))
        sounds = [sound(character) for character in line]
        found.update("p" + " ".join(sounds[i : i + size]) for size in (2, 3) for i in range(len(line) - size + 1))
    return found


def hashes(text: str, listener: str) -> list[int]:
    """`grams` as sorted 32-bit CRCs, the keys under which a model file keeps its weights."""
    return sorted({zlib.crc32(name.encode()) for name in grams(text, listener)})


@cache
def sound(character: str) -> str:
    """The commonest reading of a hanzi without its tone; any other character itself."""
    readings = pinyin_dict.get(ord(character), character)
    plain = unicodedata.normalize("NFD", readings.split(",")[0])
    return "".join(c for c in plain if not unicodedata.combining(c))
