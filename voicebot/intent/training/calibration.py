"""Calibration: shares, temperatures and thresholds from hands that the weights have not seen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from voicebot.domain.understanding import UNKNOWN
from voicebot.intent.classifier import Calibration, mixed, sigmoid, softmax
from voicebot.intent.network import READERS, Outputs
from voicebot.intent.taxonomy import DANGER
from voicebot.intent.training.corpus import Utterance
from voicebot.intent.training.vocabulary import EMOTIONS
from voicebot.intent.vocabulary import Floats

_TEMPERATURES = np.arange(0.2, 3.01, 0.05)
_TENTHS = 10
_DANGER_RECALL = 0.9
"""Wanted share of the unseen self-harm sentences that the model alone must raise (the frozen words come on top)."""
_DANGER_AT_LEAST, _DANGER_AT_MOST = 0.1, 0.2
_SECOND_AT_LEAST, _BESIDE_AT_LEAST, _ABSTAIN_AT_LEAST = 0.4, 0.8, 0.2
"""A call goes elsewhere over a wrong second intent or a guess at noise; F1 on clean sentences does not see what that
costs, the whole calls of tests/scenarios do."""


def fit(rows: Sequence[Utterance], intents: Sequence[str], outputs: Sequence[Outputs]) -> Calibration:
    """`outputs`: for each of `rows`, by a model that never saw their writers."""
    place = {name: index for index, name in enumerate(intents)}
    first = np.array([place[row.labels[0]] for row in rows])
    logits = np.stack([out.intents for out in outputs], axis=1)
    shares = _shares(logits, first)
    scores = mixed(logits, shares)
    heat = _temperature(scores, first)
    chances = np.stack([softmax(line / heat) for line in scores])
    judged = [i for i, row in enumerate(rows) if row.emotion]
    felt = np.array([EMOTIONS.index(rows[i].emotion or "") for i in judged])
    moods = np.stack([outputs[i].emotions for i in judged], axis=1)
    mood_shares = _shares(moods, felt)
    return Calibration(
        shares=shares, emotion_shares=mood_shares, temperature=heat,
        emotion_temperature=_temperature(mixed(moods, mood_shares), felt),
        abstain=max(_abstention(chances, first, place[UNKNOWN]), _ABSTAIN_AT_LEAST),
        second=max(_second(rows, intents, chances), _SECOND_AT_LEAST),
        beside=max(_beside(rows, intents, chances, np.stack([sigmoid(o.beside) for o in outputs])), _BESIDE_AT_LEAST),
        danger=_alarm(rows, intents, chances),
    )


def _shares(logits: Floats, wanted: NDArray[np.int64]) -> tuple[float, ...]:
    """Tenths for each reader: of the mixtures with nearly the most right answers the mean, which is steadier."""
    tried = [
        parts for parts in product(range(_TENTHS + 1), repeat=len(READERS)) if sum(parts) == _TENTHS
    ]
    mixtures = (mixed(logits, [part / _TENTHS for part in parts]) for parts in tried)
    right = np.array([(mixture.argmax(axis=1) == wanted).sum() for mixture in mixtures])
    good = np.array(tried)[right >= right.max() - max(1, len(wanted) // 500)]
    return tuple(round(float(part), 2) for part in good.mean(axis=0) / _TENTHS)


def _temperature(logits: Floats, wanted: NDArray[np.int64]) -> float:
    """The temperature with the smallest mean negative log-likelihood."""

    def loss(heat: float) -> float:
        scaled = logits / heat
        top = scaled.max(axis=1, keepdims=True)
        spread = np.log(np.exp(scaled - top).sum(axis=1)) + top[:, 0]
        return float((spread - scaled[np.arange(len(wanted)), wanted]).mean())

    return round(float(min(_TEMPERATURES, key=loss)), 2)


def _abstention(chances: Floats, first: NDArray[np.int64], unknown: int) -> float:
    """The threshold with the most right answers when everything below it is called `unknown`."""
    best, sure = chances.argmax(axis=1), chances.max(axis=1)

    def right(threshold: float) -> int:
        return int((np.where(sure < threshold, unknown, best) == first).sum())

    return round(float(max(np.arange(0.02, 0.4, 0.01), key=right)), 2)


def _second(rows: Sequence[Utterance], intents: Sequence[str], chances: Floats) -> float:
    """The threshold of the mixed probability for further intents with the best F1 over all labels."""
    return _best_threshold(rows, intents, chances, chances, np.arange(0.1, 0.6, 0.02))


def _beside(rows: Sequence[Utterance], intents: Sequence[str], chances: Floats, beside: Floats) -> float:
    """The same for the probability that an intent is meant too."""
    return _best_threshold(rows, intents, chances, beside, np.arange(0.05, 0.95, 0.025))


def _best_threshold(
    rows: Sequence[Utterance], intents: Sequence[str], chances: Floats, judged: Floats, tried: NDArray[np.float64]
) -> float:
    truth = np.array([[name in row.labels for name in intents] for row in rows])
    best = chances.argmax(axis=1)

    def score(threshold: float) -> float:
        said = judged >= threshold
        said[np.arange(len(rows)), best] = True
        return 2 * float((said & truth).sum()) / float(said.sum() + truth.sum())

    return round(float(max(tried, key=score)), 3)


def _alarm(rows: Sequence[Utterance], intents: Sequence[str], chances: Floats) -> float:
    """Low enough for `_DANGER_RECALL` of the self-harm sentences, within sane bounds."""
    columns = [i for i, name in enumerate(intents) if name in DANGER]
    harm = sorted(chances[i, columns].sum() for i, row in enumerate(rows) if set(row.labels) & DANGER)
    return round(float(np.clip(harm[int(len(harm) * (1 - _DANGER_RECALL))], _DANGER_AT_LEAST, _DANGER_AT_MOST)), 2)
