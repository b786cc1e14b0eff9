"""Training of the linear reader: n-grams straight to intents and emotions, its strongest weights kept in eight bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from voicebot.intent.training import targets
from voicebot.intent.training.corpus import Utterance
from voicebot.intent.training.gram_batches import Grams, batch
from voicebot.intent.vocabulary import Encoded, Vocabulary

EPOCHS = 5
BATCH = 256
RATE = 0.02
DROP = 0.2
"""Share of the features hidden in each step, so that no single n-gram decides alone."""
SHARPNESS = 8.0
"""Inputs have length one; this brings logits to a useful size within few steps."""
KEPT = 16
"""Intents that an n-gram speaks for or against; its weights for the others become nothing."""

Floats = NDArray[np.float32]


def train(
    rows: Sequence[Utterance], said: Sequence[Encoded], words: Vocabulary, seed: int
) -> dict[str, NDArray[np.generic]]:
    """Named arrays for `export`, from `rows` (`said`: as encoded). Same rows and seed, same arrays."""
    torch.manual_seed(seed)
    order = np.random.default_rng(seed)
    encoded = [Grams(each.grams, each.weights) for each in said]
    wanted = targets.Targets(rows, words.intents)
    table = torch.nn.EmbeddingBag(len(words.keys), len(words.intents) + len(words.emotions), mode="sum", sparse=True)
    torch.nn.init.zeros_(table.weight)
    bias = torch.zeros(table.weight.shape[1], requires_grad=True)
    # Only the rows of a batch's n-grams move: a step over the whole table costs eight times as much.
    optimisers = torch.optim.SparseAdam(table.parameters(), lr=RATE), torch.optim.Adam([bias], lr=RATE)
    for _ in range(EPOCHS):
        shuffled = order.permutation(len(rows)).tolist()
        for start in range(0, len(rows), BATCH):
            chosen = shuffled[start : start + BATCH]
            grams, offsets, values = batch([encoded[index] for index in chosen], SHARPNESS, DROP)
            logits = table(grams, offsets, per_sample_weights=values) + bias
            loss = targets.loss(logits, wanted.of(chosen, [-1] * len(chosen)), smooth=0.0)
            for optimiser in optimisers:
                optimiser.zero_grad()
            loss.backward()
            for optimiser in optimisers:
                optimiser.step()
    return _kept(table.weight.detach().numpy() * SHARPNESS, bias.detach().numpy(), len(words.intents))


def _kept(weights: Floats, bias: Floats, intents: int) -> dict[str, NDArray[np.generic]]:
    """The strongest weights of each n-gram: which intents (n, kept), how much (n, kept); emotions whole (n, e).

    What all intents share changes nothing and is taken out first.
    """
    order = weights[:, :intents] - np.median(weights[:, :intents], axis=1, keepdims=True)
    places = np.argsort(-np.abs(order), axis=1)[:, :KEPT]
    scale = np.abs(order).max(axis=0) / 127 + 1e-9
    values = np.take_along_axis(np.round(order / scale).astype(np.int8), places, axis=1)
    moods = weights[:, intents:]
    mood_scale = np.abs(moods).max(axis=0) / 127 + 1e-9
    return {
        "places": places.astype(np.uint8), "values": values, "scale": scale.astype(np.float32),
        "bias": bias[:intents], "moods": np.round(moods / mood_scale).astype(np.int8),
        "mood_scale": mood_scale.astype(np.float32), "mood_bias": bias[intents:],
    }
