"""An epoch of utterances as callers and recognisers vary them: misheard, or two said in one breath."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from voicebot.intent.training.corpus import Utterance
from voicebot.intent.training.noise import Confusions

JOINED = 0.1
"""Share of the utterances that are said together with another one under the same topic."""
LONGEST_JOINED = 25


@dataclass(frozen=True, slots=True)
class Breath:
    """`text` of row `row`, and of row `other` with it where that is not -1."""

    text: str
    row: int
    other: int


class Breaths:
    """Makes each epoch's texts; `noisy` is the share that goes through the recogniser's confusions."""

    def __init__(self, rows: Sequence[Utterance], noise: Confusions, noisy: float) -> None:
        self._rows, self._noise, self._noisy = rows, noise, noisy
        self._under: dict[str, list[int]] = defaultdict(list)
        for index, row in enumerate(rows):
            self._under[row.topic].append(index)

    def epoch(self, chance: random.Random) -> list[Breath]:
        return [self._breath(index, row, chance) for index, row in enumerate(self._rows)]

    def _breath(self, index: int, row: Utterance, chance: random.Random) -> Breath:
        text, other = row.text, -1
        if chance.random() < JOINED and len(text) < LONGEST_JOINED:
            other = chance.choice(self._under[row.topic])
            pair = [text, self._rows[other].text]
            chance.shuffle(pair)
            text = " ".join(pair)
        if chance.random() < self._noisy:
            text = self._noise.hear(text, chance)
        return Breath(text, index, other)
