"""Training of the linear model: hashed n-grams, softmax over intents and over emotions, then small whole weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy, log_softmax

from voicebot.domain.understanding import EmotionLabel
from voicebot.intent.features import hashes
from voicebot.intent.linear import LinearModel
from voicebot.intent.training.corpus import Utterance

EPOCHS = 5
BATCH = 256
RATE = 0.02
DECAY = 1e-5
DROP = 0.2
"""Share of the features hidden in each step, so that no single n-gram decides alone."""
SHARPNESS = 8.0
"""Inputs have length one; this brings logits to a useful size within few steps."""
EMOTION_WEIGHT = 0.3
LEVELS = 31
"""Steps of a weight on either side of nothing: finer ones change no figure and take half as much room again."""
RARE = 2
"""A feature seen less often than this in training is left out."""

EMOTIONS = tuple(str(label) for label in EmotionLabel)


@dataclass(frozen=True, slots=True)
class Encoded:
    """One utterance as feature rows and their weights, unit length."""

    rows: NDArray[np.int64]
    values: NDArray[np.float32]


def targets(rows: Sequence[Utterance], intents: Sequence[str]) -> NDArray[np.float32]:
    """(n, intents): where several labels stand, the first weighs most. Rows sum to one."""
    place = {name: index for index, name in enumerate(intents)}
    out = np.zeros((len(rows), len(intents)), np.float32)
    for line, row in zip(out, rows, strict=True):
        for order, label in enumerate(row.labels):
            line[place[label]] += 0.6 if order == 0 else 0.4
        line /= line.sum()
    return out


def emotion_targets(rows: Sequence[Utterance]) -> NDArray[np.int64]:
    """(n,): index of the emotion, -1 where nobody judged it."""
    return np.array([EMOTIONS.index(row.emotion) if row.emotion else -1 for row in rows])


def train(rows: Sequence[Utterance], seed: int = 7) -> LinearModel:
    """Trains on `rows`; the same rows and seed give the same model."""
    torch.manual_seed(seed)
    order = np.random.default_rng(seed)
    intents = tuple(sorted({label for row in rows for label in row.labels}))
    found = [hashes(row.text, row.topic) for row in rows]
    keys, rarity = _vocabulary(found)
    encoded = [_encode(each, keys, rarity) for each in found]
    wanted, moods = torch.from_numpy(targets(rows, intents)), torch.from_numpy(emotion_targets(rows))
    outputs = len(intents) + len(EMOTIONS)
    table = torch.nn.EmbeddingBag(len(keys), outputs, mode="sum")
    torch.nn.init.zeros_(table.weight)
    bias = torch.zeros(outputs, requires_grad=True)
    optimiser = torch.optim.Adam([table.weight, bias], lr=RATE)
    for _ in range(EPOCHS):
        shuffled = order.permutation(len(rows))
        for start in range(0, len(rows), BATCH):
            chosen = shuffled[start : start + BATCH]
            logits, used = _forward(table, bias, [encoded[index] for index in chosen])
            intent_loss = -(wanted[chosen] * log_softmax(logits[:, : len(intents)], 1)).sum(1).mean()
            mood_loss = cross_entropy(logits[:, len(intents) :], moods[chosen], ignore_index=-1)
            loss = intent_loss + EMOTION_WEIGHT * mood_loss + DECAY * (table.weight[used] ** 2).sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    weights = table.weight.detach().numpy() * SHARPNESS
    return _quantised(intents, keys, rarity, weights, bias.detach().numpy())


def _vocabulary(found: Sequence[list[int]]) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    counts = Counter(key for each in found for key in each)
    keys = np.array(sorted(key for key, count in counts.items() if count >= RARE), dtype=np.uint32)
    rarity = np.log(1 + len(found) / np.array([counts[int(key)] for key in keys], dtype=np.float32))
    return keys, rarity.astype(np.float32)


def _encode(found: list[int], keys: NDArray[np.uint32], rarity: NDArray[np.float32]) -> Encoded:
    wanted = np.array(found, dtype=np.uint32)
    spots = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    rows = spots[keys[spots] == wanted]
    length = float(np.linalg.norm(rarity[rows])) or 1.0
    return Encoded(rows.astype(np.int64), rarity[rows] / length)


def _forward(
    table: torch.nn.EmbeddingBag, bias: torch.Tensor, batch: Sequence[Encoded]
) -> tuple[torch.Tensor, torch.Tensor]:
    rows = torch.from_numpy(np.concatenate([each.rows for each in batch]))
    values = torch.from_numpy(np.concatenate([each.values for each in batch])) * SHARPNESS
    values = values * (torch.rand_like(values) > DROP) / (1 - DROP)
    offsets = torch.tensor(np.cumsum([0] + [len(each.rows) for each in batch[:-1]]))
    return table(rows, offsets, per_sample_weights=values) + bias, torch.unique(rows)


def _quantised(
    intents: tuple[str, ...], keys: NDArray[np.uint32], rarity: NDArray[np.float32],
    weights: NDArray[np.float32], bias: NDArray[np.float32],
) -> LinearModel:
    scale = np.abs(weights).max(axis=0) / LEVELS
    steps = np.round(weights / scale).astype(np.int8)
    return LinearModel(intents, EMOTIONS, keys, rarity, steps, scale.astype(np.float32), bias)
