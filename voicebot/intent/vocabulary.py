"""Vocabulary: which n-grams, characters and sounds the intent model knows; words in, row numbers out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voicebot.intent.features import hashes
from voicebot.intent.text import accented, normalise

LONGEST = 48
"""Characters that the convolutions read, edges included; what a caller says after that rarely changes the meaning."""
UNSEEN = 1
"""Row of a character or sound that training did not know; row 0 is padding."""

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


class ModelError(Exception):
    """A model file is missing or is not ours. The operator must run `make train-intent` or reinstall."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One utterance as the model reads it. `weights` and `common_weights` have length one (or are empty)."""

    grams: Rows
    weights: Floats
    common: Rows
    common_weights: Floats
    characters: Rows
    sounds: Rows
    topic: Rows
    keys: NDArray[np.uint32]
    """Hash of each of `grams`, in the same order."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`keys` sorted CRC32 of n-grams (n,), `rarity` their idf (n,), `common` row among the common ones or -1 (n,);
    `characters`, `sounds`, `topics` to rows of the embedding tables; `intents`, `emotions` name the outputs."""

    intents: tuple[str, ...]
    emotions: tuple[str, ...]
    keys: NDArray[np.uint32]
    rarity: Floats
    common: NDArray[np.int32]
    characters: dict[str, int]
    sounds: dict[str, int]
    topics: dict[str, int]

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Reads the .npz that training wrote; ModelError with the remedy when it cannot."""
        try:
            with np.load(path, allow_pickle=False) as kept:
                return cls(
                    _names(kept["intents"]), _names(kept["emotions"]), kept["keys"],
                    kept["rarity"].astype(np.float32), kept["common"],
                    _index(kept["characters"], UNSEEN + 1), _index(kept["sounds"], UNSEEN + 1),
                    _index(kept["topics"], 0),
                )
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise ModelError(f"intent model {path.name} cannot be read ({error}): run `make train-intent`") from error

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path, intents=np.array(self.intents), emotions=np.array(self.emotions), keys=self.keys,
            rarity=self.rarity.astype(np.float16), common=self.common, characters=np.array(list(self.characters)),
            sounds=np.array(list(self.sounds)), topics=np.array(list(self.topics)),
        )

    def encode(self, text: str, topic: str) -> Encoded:
        """The n-grams of `text` that are known, and its symbols."""
        wanted = np.array(sorted(hashes(text, topic)), dtype=np.uint32)
        spots = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        grams = spots[self.keys[spots] == wanted].astype(np.int64)
        kept = self.common[grams] >= 0
        characters, sounds = self.symbols(text)
        return Encoded(
            grams, _unit(self.rarity[grams]),
            self.common[grams][kept].astype(np.int64), _unit(self.rarity[grams][kept]),
            characters, sounds, np.array([self.topics[topic]], dtype=np.int64), self.keys[grams],
        )

    def symbols(self, text: str) -> tuple[Rows, Rows]:
        """Rows of the characters of `text` between edges, pauses as spaces, and of the sound of each."""
        line = ("^" + normalise(text) + "$")[:LONGEST]
        return (
            np.array([self.characters.get(char, UNSEEN) for char in line], dtype=np.int64),
            np.array([self.sounds.get(accented(char), UNSEEN) for char in line], dtype=np.int64),
        )


def _unit(values: Floats) -> Floats:
    length = float(np.sqrt(values @ values)) or 1.0
    return np.asarray(values / length, dtype=np.float32)


def _names(kept: NDArray[np.str_]) -> tuple[str, ...]:
    return tuple(str(name) for name in kept)


def _index(kept: NDArray[np.str_], first: int) -> dict[str, int]:
    return {str(name): row for row, name in enumerate(kept, first)}
