"""Training of the convolutional reader: characters and sounds in their order, on utterances and misheard copies."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import relu

from voicebot.intent.training import targets
from voicebot.intent.training.breaths import Breath, Breaths
from voicebot.intent.training.corpus import Utterance
from voicebot.intent.training.noise import Confusions
from voicebot.intent.vocabulary import UNSEEN, Encoded, Rows, Vocabulary

EPOCHS = 9
BATCH = 128
RATE = 0.003
DECAY = 0.01
SIZE, SOUND_SIZE, TOPIC_SIZE, FILTERS, HIDDEN = 64, 48, 32, 96, 192
WIDTHS = (1, 2, 3)
NOISY, BLANKED = 0.3, 0.05
"""Share of misheard copies, and of characters hidden everywhere."""


class Convolutions(nn.Module):  # type: ignore[misc]
    """Embeddings, filters of several widths, maximum over time, the topic, one hidden layer."""

    def __init__(self, words: Vocabulary, outputs: int) -> None:
        super().__init__()
        first = UNSEEN + 1
        self.characters = nn.Embedding(len(words.characters) + first, SIZE, padding_idx=0)
        self.sounds = nn.Embedding(len(words.sounds) + first, SOUND_SIZE, padding_idx=0)
        self.topics = nn.Embedding(len(words.topics), TOPIC_SIZE)
        for table in (self.characters, self.sounds):
            nn.init.normal_(table.weight, std=0.3)
        self.filters = nn.ModuleList(
            nn.Conv1d(SIZE + SOUND_SIZE, FILTERS, width, padding=width // 2) for width in WIDTHS
        )
        self.hidden = nn.Linear(len(WIDTHS) * FILTERS + TOPIC_SIZE, HIDDEN)
        self.output = nn.Linear(HIDDEN, outputs)
        self.drop_input, self.drop = nn.Dropout(0.1), nn.Dropout(0.3)

    def forward(self, characters: torch.Tensor, sounds: torch.Tensor, topics: torch.Tensor) -> torch.Tensor:
        rows = torch.cat([self.characters(characters), self.sounds(sounds)], dim=2)
        signal, spoken = self.drop_input(rows).transpose(1, 2), (characters > 0)[:, None]
        length = characters.shape[1]
        pooled = [relu(each(signal))[:, :, :length].masked_fill(~spoken, 0).amax(dim=2) for each in self.filters]
        seen = torch.cat([*pooled, self.topics(topics)], dim=1)
        return torch.as_tensor(self.output(self.drop(relu(self.hidden(self.drop(seen))))))


def train(
    rows: Sequence[Utterance], said: Sequence[Encoded], words: Vocabulary, noise: Confusions, seed: int
) -> dict[str, NDArray[np.float32]]:
    """Parameters by name, from `rows` (`said`: as encoded) and noisy copies. Same rows and seed, same parameters."""
    torch.manual_seed(seed)
    chance = random.Random(seed)
    wanted, breaths = targets.Targets(rows, words.intents), Breaths(rows, noise, NOISY)
    net = Convolutions(words, 2 * len(words.intents) + len(words.emotions))
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    steps = EPOCHS * -(-len(rows) // BATCH)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=0.15)
    for _ in range(EPOCHS):
        for part in _batches(breaths.epoch(chance), chance):
            symbols = [
                (said[b.row].characters, said[b.row].sounds) if b.text == rows[b.row].text else words.symbols(b.text)
                for b in part
            ]
            outputs = net(*_tensors(symbols, [said[b.row].topic for b in part]))
            loss = targets.loss(outputs, wanted.of([b.row for b in part], [b.other for b in part]))
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            optimiser.step()
            pace.step()
    return _parameters(net)


def _batches(breaths: Sequence[Breath], chance: random.Random) -> Iterator[list[Breath]]:
    """Batches of texts of similar length in random order: short ones need not wait for long ones."""
    ordered = sorted(breaths, key=lambda breath: len(breath.text) + 3 * chance.random())
    batches = [ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)]
    chance.shuffle(batches)
    yield from batches


def _tensors(
    symbols: Sequence[tuple[Rows, Rows]], topics: Sequence[Rows]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    longest = max(len(characters) for characters, _ in symbols)
    tables = np.zeros((2, len(symbols), longest), np.int64)
    for line, pair in enumerate(symbols):
        for which, row in enumerate(pair):
            tables[which, line, : len(row)] = row
    characters = torch.from_numpy(tables[0])
    hidden = (torch.rand(characters.shape) < BLANKED) & (characters > 0)
    asked = torch.from_numpy(np.concatenate(topics))
    return torch.where(hidden, UNSEEN, characters), torch.from_numpy(tables[1]), asked


def _parameters(net: Convolutions) -> dict[str, NDArray[np.float32]]:
    kept = {
        "characters": net.characters.weight, "sounds": net.sounds.weight, "topics": net.topics.weight,
        "hidden": net.hidden.weight.T, "hidden_bias": net.hidden.bias,
        "output": net.output.weight.T, "output_bias": net.output.bias,
    }
    for index, each in enumerate(net.filters):
        kept[f"filter{index}"], kept[f"shift{index}"] = each.weight, each.bias
    return {name: torch.as_tensor(value).detach().numpy() for name, value in kept.items()}
