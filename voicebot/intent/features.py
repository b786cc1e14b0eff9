"""What the linear model sees of an utterance: hashed n-grams of characters, sounds, number patterns; the topic."""

from __future__ import annotations

import re
import zlib

import numpy as np
from numpy.typing import NDArray

from voicebot.intent.text import accented, normalise

_NUMBER = re.compile(r"[零一二三四五六七八九十百千万两俩仨半几0-9]+")
_SHORT = 8
"""Utterances shorter than this many characters (with both edges) are also seen whole together with the topic."""


def names(text: str, topic: str) -> set[str]:
    """Feature names of `text` asked under `topic`: `c` characters, `p` sounds, `n` number patterns, `t` topic."""
    line = "^" + normalise(text).replace(" ", "") + "$"
    found: set[str] = set()
    for size in (1, 2, 3):
        found.update("c" + line[i : i + size] for i in range(len(line) - size + 1))
    sounds = [accented(char) for char in line]
    for size in (1, 2, 3):
        found.update("p" + " ".join(sounds[i : i + size]) for i in range(len(sounds) - size + 1))
    found.update(_number_patterns(line))
    found.update(_topic(line, topic))
    return found


def _number_patterns(line: str) -> set[str]:
    """N-grams in which every run of numerals is one `#`, so that 二十号 and 三号 look alike."""
    masked = _NUMBER.sub("#", line)
    if "#" not in masked:
        return set()
    grams = (masked[i : i + size] for size in (2, 3, 4) for i in range(len(masked) - size + 1))
    return {"n" + gram for gram in grams if "#" in gram}


def _topic(line: str, topic: str) -> set[str]:
    found = {"t" + topic, f"t{topic}{min(len(line) // 4, 6)}"}
    if len(line) < _SHORT:
        found.add("t" + topic + line)
    return found


def hashes(text: str, topic: str) -> list[int]:
    """`names` as 32-bit CRCs, the keys under which a model file keeps its weights."""
    return [zlib.crc32(name.encode()) for name in names(text, topic)]


def phrases(text: str) -> tuple[NDArray[np.uint32], list[str]]:
    """Keys of the two- and three-character phrases among `names`, and the phrases."""
    line = normalise(text).replace(" ", "")
    words = sorted({line[i : i + size] for size in (2, 3) for i in range(len(line) - size + 1)} or {line})
    return np.array([zlib.crc32(f"c{word}".encode()) for word in words], dtype=np.uint32), words
