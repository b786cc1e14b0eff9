"""Recogniser-like errors: characters that sound alike take each other's place."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable

from voicebot.intent.text import accented, normalise

_HANZI = ("\u3400", "\u9fff")


class Homophones:
    """Swaps characters for others of the same sound (accents merged), common ones more often."""

    def __init__(self, texts: Iterable[str]) -> None:
        counts = Counter(char for text in texts for char in normalise(text) if _HANZI[0] <= char <= _HANZI[1])
        self._alike: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for char, count in sorted(counts.items()):
            self._alike[accented(char)].append((char, count))

    def swap(self, text: str, share: float, chance: random.Random) -> str:
        """`text` with about `share` of its characters replaced by one that sounds alike."""
        return "".join(self._other(char, chance) if chance.random() < share else char for char in text)

    def _other(self, char: str, chance: random.Random) -> str:
        others = [(other, count) for other, count in self._alike.get(accented(char), []) if other != char]
        if not others:
            return char
        return chance.choices([o for o, _ in others], [c for _, c in others])[0]
