"""Convolutional model: characters and sounds of an utterance to logits of intents and emotions, numpy alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voicebot.intent.linear import ModelError
from voicebot.intent.text import accented, normalise

LONGEST = 48
"""Characters read, edges included; what a caller says after that has rarely changed the meaning."""
UNSEEN = 1
"""Row of the embedding tables for a character or sound that training did not know; row 0 is padding."""

Floats = NDArray[np.float32]


def symbols(text: str) -> tuple[list[str], list[str]]:
    """Characters of `text` between edges, pauses kept as spaces, and the sound of each."""
    line = ("^" + normalise(text) + "$")[:LONGEST]
    return list(line), [accented(char) for char in line]


@dataclass(frozen=True, slots=True)
class Network:
    """Tables (rows, d) of characters, sounds and topics; filters (width, 2d, f); two dense layers."""

    characters: dict[str, int]
    sounds: dict[str, int]
    topics: dict[str, int]
    tables: tuple[Floats, Floats, Floats]
    filters: tuple[tuple[Floats, Floats], ...]
    hidden: tuple[Floats, Floats]
    output: tuple[Floats, Floats]
    taps: tuple[Floats, Floats] = field(init=False)
    places: tuple[slice, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Runs every tap of every filter over every row of both tables, (rows, taps * f), once and for all.

        What a filter makes of a text is then a sum of looked-up rows: no large product per utterance, whose BLAS
        threads would wait for each other on a busy machine.
        """
        side_by_side = np.concatenate([tap for weights, _ in self.filters for tap in weights], axis=1)
        ends = [0, *accumulate(weights.shape[0] * weights.shape[2] for weights, _ in self.filters)]
        size = self.tables[0].shape[1]
        object.__setattr__(self, "taps", (self.tables[0] @ side_by_side[:size], self.tables[1] @ side_by_side[size:]))
        object.__setattr__(self, "places", tuple(slice(begin, end) for begin, end in pairwise(ends)))

    @classmethod
    def load(cls, path: Path) -> Network:
        """Reads the .npz that training wrote; ModelError with the remedy when it cannot."""
        try:
            with np.load(path, allow_pickle=False) as kept:
                part = {name: kept[name].astype(np.float32) for name in kept.files if kept[name].dtype == np.float16}
                indexes = [_index(kept[f"{name}_names"]) for name in ("characters", "sounds", "topics")]
                return cls(
                    indexes[0], indexes[1], indexes[2], (part["characters"], part["sounds"], part["topics"]),
                    tuple((part[f"filter{i}"], part[f"shift{i}"]) for i in range(int(kept["widths"]))),
                    (part["hidden"], part["hidden_bias"]), (part["output"], part["output_bias"]),
                )
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise ModelError(f"intent model {path.name} cannot be read ({error}): run `make train-intent`") from error

    def logits(self, text: str, topic: str, intents: int) -> tuple[Floats, Floats]:
        """Logits of the `intents` first outputs, (i,), and of the emotions, (e,)."""
        characters, sounds = symbols(text)
        taps = (
            self.taps[0][[self.characters.get(char, UNSEEN) for char in characters]]
            + self.taps[1][[self.sounds.get(sound, UNSEEN) for sound in sounds]]
        )
        pooled = [_convolved(taps[:, at], shift) for at, (_, shift) in zip(self.places, self.filters, strict=True)]
        seen = np.concatenate((*pooled, self.tables[2][self.topics[topic]]))
        inner = np.maximum(seen @ self.hidden[0] + self.hidden[1], 0)
        out = np.asarray(inner @ self.output[0] + self.output[1], dtype=np.float32)
        return out[:intents], out[intents:]


def _index(names: NDArray[np.str_]) -> dict[str, int]:
    """Name to row; rows 0 and 1 are padding and unseen and carry no name."""
    return {str(name): row for row, name in enumerate(names) if name}


def _convolved(taps: Floats, shift: Floats) -> Floats:
    """Rectified convolution over time, as much padding as the filter is wide, then the maximum over time.

    `taps` (steps, width * f): what each tap of the filter makes of each step; only the shifted sum is left to do.
    """
    steps, size = len(taps), len(shift)
    width = taps.shape[1] // size
    total = np.broadcast_to(shift, (steps, size)).copy()
    for tap in range(width):
        part, offset = taps[:, tap * size : (tap + 1) * size], tap - width // 2
        total[max(0, -offset) : steps - max(0, offset)] += part[max(0, offset) : steps - max(0, -offset)]
    return np.asarray(np.maximum(total.max(axis=0), 0), dtype=np.float32)
