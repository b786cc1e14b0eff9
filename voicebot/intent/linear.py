"""Linear model: hashed n-grams to logits of intents and emotions, eight-bit weights, numpy alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voicebot.intent.features import hashes, phrases


class ModelError(Exception):
    """The model file is missing or is not ours. The operator must run `make train-intent` or reinstall."""


@dataclass(frozen=True, slots=True)
class LinearModel:
    """`keys` sorted CRC32 of features (n,), `rarity` idf (n,), `weights` int8 (n, outputs), `scale` (outputs,)."""

    intents: tuple[str, ...]
    emotions: tuple[str, ...]
    keys: NDArray[np.uint32]
    rarity: NDArray[np.float32]
    weights: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path) -> LinearModel:
        """Reads the .npz that training wrote; ModelError with the remedy when it cannot."""
        try:
            with np.load(path, allow_pickle=False) as kept:
                return cls(
                    tuple(str(name) for name in kept["intents"]), tuple(str(name) for name in kept["emotions"]),
                    kept["keys"], kept["rarity"].astype(np.float32), kept["weights"], kept["scale"], kept["bias"],
                )
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise ModelError(f"intent model {path.name} cannot be read ({error}): run `make train-intent`") from error

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path, intents=np.array(self.intents), emotions=np.array(self.emotions), keys=self.keys,
            rarity=self.rarity.astype(np.float16), weights=self.weights, scale=self.scale, bias=self.bias,
        )

    def logits(self, text: str, topic: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits of the intents (i,) and of the emotions (e,)."""
        wanted = np.array(hashes(text, topic), dtype=np.uint32)
        spots = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        rows = spots[self.keys[spots] == wanted]
        value = self.rarity[rows]
        length = float(np.sqrt(value @ value)) or 1.0
        out = (value / length) @ self.weights[rows].astype(np.float32) * self.scale + self.bias
        return out[: len(self.intents)], out[len(self.intents) :]

    def words_for(self, emotion: int, text: str, topic: str, most: int = 2) -> tuple[str, ...]:
        """The up to `most` phrases of `text` that speak most for that emotion against the others, strongest first."""
        keys, words = phrases(text)
        spots = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = np.flatnonzero(self.keys[spots] == keys)
        column = len(self.intents) + emotion
        felt = self.weights[spots[known], len(self.intents) :].astype(np.float32) * self.scale[len(self.intents) :]
        lead = self.weights[spots[known], column] * self.scale[column] - felt.mean(axis=1)
        speaks = lead * self.rarity[spots[known]]
        chosen: list[str] = []
        for place in known[np.argsort(-speaks)]:
            word = words[place]
            if len(chosen) < most and not any(word in other or other in word for other in chosen):
                chosen.append(word)
        strong = {words[place] for place, score in zip(known, speaks, strict=True) if score > 0}
        return tuple(word for word in chosen if word in strong)
