"""Training of the wording model: sentences by several hands in, models/gate.npz and its card out.

`python -m voicebot.compliance.training` needs scipy (the `train` extra). No randomness: the same data give the
same file. Hands e, h and n are for the report alone.
"""

from __future__ import annotations

import gzip
import importlib.resources
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voicebot.compliance import gate
from voicebot.compliance.grams import grams
from voicebot.compliance.speech_context import SpeechContext, parse_context
from voicebot.compliance.speech_text import read_speech
from voicebot.compliance.wording_model import FILE, LAWFUL, WordingModel
from voicebot.config import models_dir

LABELS = (LAWFUL, *(f"F{number:02d}" for number in range(1, 19)))
CHECK, REPORT = "b", ("e", "h", "n")
_RECORDED = ("lawsuit_filed", "credit_reported", "visit_scheduled", "offer", "last_promise", "daily_interest_fen")
THRESHOLD = 0.5
"""A sentence is suspected when it is more likely unlawful than not."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, who wrote it, and what it violates where."""

    text: str
    speaker: str
    hand: str
    violations: frozenset[str]
    context: SpeechContext
    recorded: bool


def sentences() -> Iterator[Sentence]:
    """All sentences that ship."""
    for name in ("gate-corpus.jsonl.gz", "gate-hands.jsonl.gz"):
        data = gzip.decompress((importlib.resources.files(__package__) / "data" / name).read_bytes())
        for row in map(json.loads, data.decode().splitlines()):
            recorded = any(row["context"]["case"].get(key) for key in _RECORDED)
            context = parse_context(row["context"])
            yield Sentence(row["text"], row["speaker"], row["hand"], frozenset(row["violations"]), context, recorded)


def fit(rows: Sequence[Sentence], threshold: float, decay: float = 3e-5, rounds: int = 60) -> WordingModel:
    """Multinomial regression on tf-idf of grams; lawful only by the record is no example of lawful wording."""
    rows = [row for row in rows if row.violations or not row.recorded]
    seen = [sorted(grams(read_speech(row.text).text, row.context.listener)) for row in rows]
    counts = Counter(name for names in seen for name in names)
    kept = sorted((zlib.crc32(name.encode()), name) for name, count in counts.items() if count > 1)
    place = {name: index for index, (_, name) in enumerate(kept)}
    rarity = np.log(len(rows) / np.array([counts[name] for _, name in kept])).astype(np.float32)
    examples = [(i, label) for i, row in enumerate(rows) for label in (sorted(row.violations) or [LAWFUL])]
    shares = np.array([1 / max(1, len(rows[i].violations)) for i, _ in examples])
    spots = [[place[name] for name in seen[i] if name in place] for i, _ in examples]
    answers = np.array([LABELS.index(label) for _, label in examples])
    weights, bias = _minimise(spots, rarity, answers, shares / shares.sum(), decay, rounds)
    scale = np.maximum(np.abs(weights).max(axis=0) / 127, 1e-9).astype(np.float32)
    keys = np.array([key for key, _ in kept], dtype=np.uint32)
    return WordingModel(
        LABELS, threshold, keys, rarity, np.round(weights / scale).astype(np.int8), scale, bias.astype(np.float32)
    )


def _minimise(
    spots: list[list[int]], rarity: NDArray[np.float32], answers: NDArray[np.int64], share: NDArray[np.float64],
    decay: float, rounds: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Weights (features, labels) and bias (labels) of least loss, by L-BFGS."""
    from scipy.optimize import minimize
    from scipy.sparse import csr_matrix

    ends = np.cumsum([0] + [len(each) for each in spots])
    flat = np.array([spot for each in spots for spot in each])
    lengths = [float(np.sqrt((rarity[each] ** 2).sum())) or 1.0 for each in map(np.array, spots)]
    values = rarity[flat] / np.repeat(lengths, np.diff(ends))
    seen = csr_matrix((values.astype(np.float64), flat, ends), shape=(len(spots), len(rarity)))
    turned, size, line = seen.T.tocsr(), len(LABELS), np.arange(len(spots))
    truth = np.zeros((len(spots), size))
    truth[line, answers] = 1

    def loss(flat_weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = flat_weights[:-size].reshape(-1, size), flat_weights[-size:]
        logits = seen @ weights + bias
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances = odds / odds.sum(axis=1, keepdims=True)
        slope = share[:, None] * (chances - truth)
        cost = -(share * np.log(chances[line, answers] + 1e-12)).sum() + decay / 2 * (weights**2).sum()
        return float(cost), np.concatenate([(turned @ slope + decay * weights).ravel(), slope.sum(axis=0)])

    start = np.zeros((len(rarity) + 1) * size)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": rounds}).x
    return found[:-size].reshape(-1, size), found[-size:]


Told = Callable[[Sentence], set[str]]


@dataclass(slots=True)
class Tally:
    """How a gate does on sentences: violating ones told at all, told by their category, lawful ones blocked."""

    violating: int = 0
    told: int = 0
    named: int = 0
    wrong: int = 0
    lawful: int = 0
    blocked: int = 0

    def add(self, want: frozenset[str], got: set[str]) -> None:
        self.wrong += len(got - want)
        if want:
            self.violating, self.told = self.violating + 1, self.told + bool(got)
            self.named += bool(want & got)
        else:
            self.lawful, self.blocked = self.lawful + 1, self.blocked + bool(got)

    def row(self) -> str:
        shares = (
            self.told / max(1, self.violating),
            self.named / max(1, self.violating),
            self.told / max(1, self.told + self.blocked),
            self.named / max(1, self.named + self.wrong),
        )
        blocked = f"{self.blocked}/{self.lawful} = {self.blocked / max(1, self.lawful):.3f}"
        return " | ".join((str(self.violating), *(f"{share:.3f}" for share in shares), blocked))


def by_rules(row: Sentence) -> set[str]:
    return {each.id for each in gate.check_with(None, row.text, row.speaker, row.context)}


def with_model(model: WordingModel) -> Told:
    return lambda row: {each.id for each in gate.check_with(model, row.text, row.speaker, row.context)}


def tally(rows: Sequence[Sentence], told: Told) -> Tally:
    result = Tally()
    for row in rows:
        result.add(row.violations, told(row))
    return result


def main() -> None:
    """Trains, reports on hands it has not seen, then trains once more on everything and writes model and card."""
    from voicebot.compliance.training_card import card

    rows = list(sentences())
    seen = [row for row in rows if row.hand not in (CHECK, *REPORT)]
    model = fit(seen, THRESHOLD)
    final = fit([row for row in rows if row.hand not in REPORT], THRESHOLD)
    models: Path = models_dir()
    final.save(models / FILE)
    text = card(rows, THRESHOLD, len(final.keys), {CHECK: model, **dict.fromkeys(REPORT, final)})
    (models / "gate.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
