"""Calibration: temperatures and thresholds from a hand that the weights have not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voicebot.domain.understanding import UNKNOWN
from voicebot.intent.classifier import Calibration, mixed, softmax
from voicebot.intent.taxonomy import DANGER
from voicebot.intent.training.corpus import Utterance

_TEMPERATURES = np.arange(0.2, 3.01, 0.05)
_SHARES = np.arange(0.0, 0.81, 0.05)
Logits = tuple[NDArray[np.float32], NDArray[np.float32]]
_DANGER_RECALL = 0.9
"""Wanted share of the unseen self-harm sentences that the model alone must raise (the frozen words come on top)."""
_DANGER_AT_LEAST, _DANGER_AT_MOST = 0.1, 0.2


def fit(
    rows: Sequence[Utterance], intents: Sequence[str], emotions: Sequence[str],
    linear: Logits, network: Logits,
) -> Calibration:
    """`linear`, `network`: logits (n, intents) and (n, emotions) for `rows`, by models that never saw their writer."""
    place = {name: index for index, name in enumerate(intents)}
    first = np.array([place[row.labels[0]] for row in rows])
    share = round(float(max(_SHARES, key=lambda s: _right(mixed(linear[0], network[0], s), first))), 2)
    scores = mixed(linear[0], network[0], share)
    heat = _temperature(scores, first)
    chances = np.stack([softmax(line / heat) for line in scores])
    judged = [i for i, row in enumerate(rows) if row.emotion]
    felt = np.array([emotions.index(rows[i].emotion or "") for i in judged])
    one, two = linear[1][judged], network[1][judged]
    mood_share = round(float(max(_SHARES, key=lambda s: _right(mixed(one, two, s), felt))), 2)
    mood_heat = _temperature(mixed(one, two, mood_share), felt)
    return Calibration(
        network_share=share, emotion_share=mood_share, temperature=heat, emotion_temperature=mood_heat,
        abstain=_abstention(chances, first, place[UNKNOWN]),
        second=_second(rows, intents, chances), danger=_alarm(rows, intents, chances),
    )


def _right(scores: NDArray[np.float32], first: NDArray[np.int64]) -> int:
    return int((scores.argmax(axis=1) == first).sum())


def _temperature(logits: NDArray[np.float32], wanted: NDArray[np.int64]) -> float:
    """The temperature with the smallest mean negative log-likelihood."""

    def loss(heat: float) -> float:
        scaled = logits / heat
        top = scaled.max(axis=1, keepdims=True)
        spread = np.log(np.exp(scaled - top).sum(axis=1)) + top[:, 0]
        return float((spread - scaled[np.arange(len(wanted)), wanted]).mean())

    return round(float(min(_TEMPERATURES, key=loss)), 2)


def _abstention(chances: NDArray[np.float32], first: NDArray[np.int64], unknown: int) -> float:
    """The threshold with the most right answers when everything below it is called `unknown`."""
    best, sure = chances.argmax(axis=1), chances.max(axis=1)

    def right(threshold: float) -> int:
        return int((np.where(sure < threshold, unknown, best) == first).sum())

    return round(float(max(np.arange(0.02, 0.4, 0.01), key=right)), 2)


def _second(rows: Sequence[Utterance], intents: Sequence[str], chances: NDArray[np.float32]) -> float:
    """The threshold for further intents with the best F1 over all labels."""
    truth = np.array([[name in row.labels for name in intents] for row in rows])
    best = chances.argmax(axis=1)

    def score(threshold: float) -> float:
        said = chances >= threshold
        said[np.arange(len(rows)), best] = True
        hit = float((said & truth).sum())
        return 2 * hit / float(said.sum() + truth.sum())

    return round(float(max(np.arange(0.1, 0.6, 0.02), key=score)), 2)


def _alarm(rows: Sequence[Utterance], intents: Sequence[str], chances: NDArray[np.float32]) -> float:
    """Low enough for `_DANGER_RECALL` of the self-harm sentences, within sane bounds."""
    columns = [i for i, name in enumerate(intents) if name in DANGER]
    harm = sorted(chances[i, columns].sum() for i, row in enumerate(rows) if set(row.labels) & DANGER)
    return round(float(np.clip(harm[int(len(harm) * (1 - _DANGER_RECALL))], _DANGER_AT_LEAST, _DANGER_AT_MOST)), 2)
