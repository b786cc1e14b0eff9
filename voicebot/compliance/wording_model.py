"""WordingModel: a second reader of a sentence beside the patterns, learnt from sentences; numpy alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from voicebot.compliance.grams import hashes
from voicebot.compliance.speech_context import SpeechContext
from voicebot.compliance.speech_text import BREAK, SpeechText
from voicebot.config import models_dir

LAWFUL = "OK"
FILE = "gate.npz"


class WordingModelError(Exception):
    """The model file is missing or not ours. The operator must reinstall or run its training (models/gate.md)."""


@dataclass(frozen=True, slots=True)
class WordingModel:
    """`labels` OK and F01–F18; `keys` sorted CRC32 (n,), `rarity` idf (n,), `weights` int8 (n, labels)."""

    labels: tuple[str, ...]
    threshold: float
    keys: NDArray[np.uint32]
    rarity: NDArray[np.float32]
    weights: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path) -> WordingModel:
        """Reads the .npz that training wrote; WordingModelError with the remedy when it cannot."""
        try:
            with np.load(path, allow_pickle=False) as kept:
                return cls(
                    tuple(str(label) for label in kept["labels"]), float(kept["threshold"]), kept["keys"],
                    kept["rarity"].astype(np.float32), kept["weights"], kept["scale"], kept["bias"],
                )  # fmt: skip
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            remedy = "reinstall, or run `python -m voicebot.compliance.training`"
            raise WordingModelError(f"wording model {path} cannot be read ({error}): {remedy}") from error

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path, labels=np.array(self.labels), threshold=np.float32(self.threshold), keys=self.keys,
            rarity=self.rarity.astype(np.float16), weights=self.weights, scale=self.scale, bias=self.bias,
        )  # fmt: skip

    def probabilities(self, text: str, listener: str) -> dict[str, float]:
        """Label -> probability, summing to 1, for a normalised text."""
        wanted = np.array(hashes(text, listener), dtype=np.uint32)
        spots = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        rows = spots[self.keys[spots] == wanted]
        value = self.rarity[rows]
        length = float(np.sqrt(value @ value)) or 1.0
        logits = (value / length) @ self.weights[rows].astype(np.float32) * self.scale + self.bias
        odds = np.exp(logits - logits.max())
        return dict(zip(self.labels, (odds / odds.sum()).tolist(), strict=True))


@cache
def shipped_model() -> WordingModel:
    """The model of this installation, read once."""
    return WordingModel.load(models_dir() / FILE)


@dataclass(frozen=True, slots=True)
class Reading:
    """How lawful it looks, the categories suspected (none when it looks lawful), all chances by label."""

    lawful: float
    suspects: frozenset[str]
    chances: dict[str, float]


NOTHING_READ = Reading(0.0, frozenset(), {})


def read_wording(
    model: WordingModel, speech: SpeechText, context: SpeechContext, figures_true: bool | None, human: bool = False
) -> Reading:
    """What the model makes of a sentence. Categories that the record decides are left to the record.

    `figures_true`: whether the record bears out every figure, None when there is none. `human`: an agent says truly
    that a person speaks.
    """
    chances = model.probabilities(speech.text, context.listener)
    closed = {LAWFUL, "F16"} if human else {LAWFUL}
    free = frozenset(label for label in chances if label not in closed and _open(label, context, figures_true))
    unlawful = sum(chances[label] for label in free)
    return Reading(chances[LAWFUL], free if unlawful > model.threshold else frozenset(), chances)


def _open(label: str, context: SpeechContext, figures_true: bool | None) -> bool:
    case = context.case
    if label == "F06":
        return context.listener == "third_party"
    if label == "F13":
        return case is not None and (figures_true is False or (figures_true is None and case.last_promise is None))
    if case is None:
        return label not in ("F04", "F05", "F11", "F12")
    return not {
        "F04": case.lawsuit_filed, "F05": case.credit_reported, "F11": case.offer is not None,
        "F12": case.visit_scheduled,
    }.get(label, False)  # fmt: skip


def clause_for(model: WordingModel, speech: SpeechText, listener: str, category: str) -> tuple[int, int]:
    """Bounds in `speech.text` of the clause that speaks most for `category`."""
    clauses, start = [], 0
    for clause in speech.text.split(BREAK):
        if clause:
            clauses.append((model.probabilities(clause, listener)[category], start, start + len(clause)))
        start += len(clause) + 1
    return max(clauses)[1:]
