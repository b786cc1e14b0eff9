"""The vocabulary of a training run: n-grams seen twice, common ones for the bag, characters seen twice, all sounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from voicebot.domain.understanding import EmotionLabel, Topic
from voicebot.intent.features import hashes
from voicebot.intent.text import accented, normalise
from voicebot.intent.training.corpus import Utterance
from voicebot.intent.vocabulary import UNSEEN, Vocabulary

EMOTIONS = tuple(str(label) for label in EmotionLabel)
RARE = 2
"""An n-gram or a character seen less often than this in training is left out."""
COMMON = 3
"""An n-gram seen so often has a row in the bag's table."""


def build(rows: Sequence[Utterance]) -> Vocabulary:
    """What `rows` teach; the same rows give the same vocabulary."""
    counts = Counter(key for row in rows for key in hashes(row.text, row.topic))
    keys = np.array(sorted(key for key, count in counts.items() if count >= RARE), dtype=np.uint32)
    seen = np.array([counts[int(key)] for key in keys])
    common = np.where(seen >= COMMON, np.cumsum(seen >= COMMON) - 1, -1).astype(np.int32)
    lines = ["^" + normalise(row.text) + "$" for row in rows]
    characters = Counter(char for line in lines for char in line)
    sounds = {accented(char) for char in characters}
    known = sorted(char for char, count in characters.items() if count >= RARE)
    return Vocabulary(
        tuple(sorted({label for row in rows for label in row.labels})), EMOTIONS, keys,
        np.log(1 + len(rows) / seen).astype(np.float32), common,
        {char: row for row, char in enumerate(known, UNSEEN + 1)},
        {sound: row for row, sound in enumerate(sorted(sounds), UNSEEN + 1)},
        {str(topic): row for row, topic in enumerate(Topic)},
    )
