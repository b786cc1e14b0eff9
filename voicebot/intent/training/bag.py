"""Training of the bag reader: summed embeddings of common n-grams through a hidden layer, and past it."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import relu

from voicebot.intent.training import targets
from voicebot.intent.training.breaths import Breath, Breaths
from voicebot.intent.training.corpus import Utterance
from voicebot.intent.training.gram_batches import Grams, batch
from voicebot.intent.training.noise import Confusions
from voicebot.intent.vocabulary import Encoded, Vocabulary

EPOCHS = 9
BATCH = 256
RATE = 0.003
SIZE, HIDDEN = 32, 192
DROPPED, HIDDEN_GRAMS = 0.3, 0.3
SHARPNESS = 4.0
NOISY = 0.3


class Bag(nn.Module):  # type: ignore[misc]
    """Sum of embeddings (n, size); a straight way to the outputs beside the one through the hidden layer."""

    def __init__(self, grams: int, outputs: int) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(grams, SIZE, mode="sum")
        nn.init.normal_(self.table.weight, std=0.1)
        self.shift = nn.Parameter(torch.zeros(SIZE))
        self.hidden, self.output, self.straight = nn.Linear(SIZE, HIDDEN), nn.Linear(HIDDEN, outputs), nn.Linear(
            SIZE, outputs, bias=False
        )
        self.drop = nn.Dropout(DROPPED)

    def forward(self, rows: torch.Tensor, offsets: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        summed = self.table(rows, offsets, per_sample_weights=values) + self.shift
        inner = relu(self.hidden(self.drop(relu(summed))))
        return torch.as_tensor(self.output(self.drop(inner)) + self.straight(summed))


def train(
    rows: Sequence[Utterance], said: Sequence[Encoded], words: Vocabulary, noise: Confusions, seed: int
) -> dict[str, NDArray[np.float32]]:
    """Parameters by name, from `rows` (`said`: as encoded) and noisy copies. Same rows and seed, same parameters."""
    torch.manual_seed(seed)
    chance = random.Random(seed)
    wanted, breaths = targets.Targets(rows, words.intents), Breaths(rows, noise, NOISY)
    clean = [Grams(each.common, each.common_weights) for each in said]
    net = Bag(int(words.common.max()) + 1, 2 * len(words.intents) + len(words.emotions))
    optimiser = torch.optim.Adam(net.parameters(), RATE)
    steps = EPOCHS * -(-len(rows) // BATCH)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=0.2)
    for _ in range(EPOCHS):
        epoch = breaths.epoch(chance)
        chance.shuffle(epoch)
        for start in range(0, len(epoch), BATCH):
            part = epoch[start : start + BATCH]
            grams = [_of(breath, rows, words, clean) for breath in part]
            outputs = net(*batch(grams, SHARPNESS, HIDDEN_GRAMS))
            loss = targets.loss(outputs, wanted.of([b.row for b in part], [b.other for b in part]))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            pace.step()
    return _parameters(net)


def _grams(words: Vocabulary, text: str, topic: str) -> Grams:
    said = words.encode(text, topic)
    return Grams(said.common, said.common_weights)


def _of(breath: Breath, rows: Sequence[Utterance], words: Vocabulary, clean: Sequence[Grams]) -> Grams:
    row = rows[breath.row]
    return clean[breath.row] if breath.text == row.text else _grams(words, breath.text, row.topic)


def _parameters(net: Bag) -> dict[str, NDArray[np.float32]]:
    """The sharpness of training is multiplied into the table, so that running needs none."""
    kept = {
        "table": net.table.weight * SHARPNESS, "shift": net.shift, "hidden": net.hidden.weight.T,
        "hidden_bias": net.hidden.bias, "output": net.output.weight.T, "output_bias": net.output.bias,
        "straight": net.straight.weight.T,
    }
    return {name: value.detach().numpy() for name, value in kept.items()}
