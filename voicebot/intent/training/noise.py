"""Recogniser noise, learned: which characters the embedded recogniser writes for a sound, drops, or makes up."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from voicebot.intent.text import accented, normalise, syllable

_HANZI = ("\u3400", "\u9fff")
_WORSE = 1.5
"""Callers are harder to hear than the synthetic voices that the confusions were counted on."""
_PRIOR = 4.0
"""How many hearings of its own a syllable needs before its own error rate counts as much as the average."""
_GAP = ""


class Confusions:
    """A channel from what was said to what was heard, counted on (said, heard) pairs along their syllables.

    `alike` texts lend homophones (accents merged) to syllables that were never misheard.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], alike: Iterable[str]) -> None:
        self._heard: dict[str, Counter[str]] = defaultdict(Counter)
        self._made_up = Counter[str]()
        total = wrong = 0
        for said, heard in pairs:
            for one, two in aligned(_characters(said), _characters(heard)):
                if one:
                    self._heard[syllable(one)][two if two != one else "="] += 1
                    total, wrong = total + 1, wrong + (one != two)
                else:
                    self._made_up[two] += 1
        self.error_rate = wrong / total if total else 0.1
        self._invented = sum(self._made_up.values()) / total if total else 0.0
        counts = Counter(char for text in alike for char in _characters(text))
        self._homophones: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for char, count in sorted(counts.items()):
            self._homophones[accented(char)].append((char, count))

    def hear(self, text: str, chance: random.Random) -> str:
        """`text` as the recogniser might have written it: some characters replaced, dropped or made up."""
        out = []
        for char in text:
            out.append(self._char(char, chance))
            if self._made_up and chance.random() < self._invented:
                out.append(_drawn(self._made_up, chance))
        return "".join(out)

    def _char(self, char: str, chance: random.Random) -> str:
        if not _HANZI[0] <= char <= _HANZI[1]:
            return char
        heard = self._heard.get(syllable(char), Counter())
        total = sum(heard.values())
        rate = (total - heard["="] + _PRIOR * self.error_rate) / (total + _PRIOR)
        if chance.random() >= min(_WORSE * rate, 0.6):
            return char
        others = Counter({other: count for other, count in heard.items() if other not in ("=", char)})
        if others and chance.random() < 0.8:
            return _drawn(others, chance)
        alike = [(other, count) for other, count in self._homophones.get(accented(char), []) if other != char]
        return chance.choices([o for o, _ in alike], [c for _, c in alike])[0] if alike else char


def aligned(said: Sequence[str], heard: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs along the cheapest alignment; "" for nothing. The same sound costs little, merged ones more."""
    costs = [[float(j) for j in range(len(heard) + 1)]]
    for i, one in enumerate(said, 1):
        row = [float(i)]
        for j, two in enumerate(heard, 1):
            row.append(min(costs[i - 1][j] + 1, row[j - 1] + 1, costs[i - 1][j - 1] + _apart(one, two)))
        costs.append(row)
    pairs, i, j = [], len(said), len(heard)
    while i or j:
        if i and j and costs[i][j] == costs[i - 1][j - 1] + _apart(said[i - 1], heard[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((said[i], heard[j]))
        elif i and costs[i][j] == costs[i - 1][j] + 1:
            i -= 1
            pairs.append((said[i], _GAP))
        else:
            j -= 1
            pairs.append((_GAP, heard[j]))
    return pairs[::-1]


def _apart(one: str, two: str) -> float:
    if one == two:
        return 0.0
    if syllable(one) == syllable(two):
        return 0.25
    return 0.5 if accented(one) == accented(two) else 1.25


def _characters(text: str) -> list[str]:
    return [char for char in normalise(text) if _HANZI[0] <= char <= _HANZI[1]]


def _drawn(counts: Counter[str], chance: random.Random) -> str:
    ordered = sorted(counts.items())
    return chance.choices([other for other, _ in ordered], [count for _, count in ordered])[0]
