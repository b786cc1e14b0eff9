"""Training of the convolutional model, on utterances and on copies of them with recogniser-like errors."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy, log_softmax, relu

from voicebot.domain.understanding import Topic
from voicebot.intent.network import UNSEEN, symbols
from voicebot.intent.training.corpus import Utterance
from voicebot.intent.training.linear import EMOTION_WEIGHT, EMOTIONS, emotion_targets, targets
from voicebot.intent.training.noise import Homophones

EPOCHS = 16
BATCH = 64
RATE = 0.004
DECAY = 0.01
SIZE, FILTERS, HIDDEN, TOPIC_SIZE = 64, 128, 192, 32
WIDTHS = (2, 3, 4)
NOISY, SWAPPED, BLANKED = 0.5, 0.12, 0.08
"""Share of noisy copies, of characters swapped in them, and of characters hidden everywhere."""
RARE = 2
TOPICS = tuple(str(topic) for topic in Topic)


class Convolutions(nn.Module):  # type: ignore[misc]
    """The network that `voicebot.intent.network` runs: its parameters have the same names and shapes there."""

    def __init__(self, characters: int, sounds: int, outputs: int) -> None:
        super().__init__()
        self.characters = nn.Embedding(characters, SIZE, padding_idx=0)
        self.sounds = nn.Embedding(sounds, SIZE, padding_idx=0)
        self.topics = nn.Embedding(len(TOPICS), TOPIC_SIZE)
        self.filters = nn.ModuleList(nn.Conv1d(2 * SIZE, FILTERS, width, padding=width // 2) for width in WIDTHS)
        self.hidden = nn.Linear(len(WIDTHS) * FILTERS + TOPIC_SIZE, HIDDEN)
        self.output = nn.Linear(HIDDEN, outputs)
        self.drop_input, self.drop = nn.Dropout(0.2), nn.Dropout(0.35)

    def forward(self, characters: torch.Tensor, sounds: torch.Tensor, topics: torch.Tensor) -> torch.Tensor:
        rows = torch.cat([self.characters(characters), self.sounds(sounds)], dim=2)
        signal, spoken = self.drop_input(rows).transpose(1, 2), (characters > 0)[:, None]
        length = characters.shape[1]
        pooled = [
            relu(each(signal))[:, :, :length].masked_fill(~spoken, 0).amax(dim=2) for each in self.filters
        ]
        seen = torch.cat([*pooled, self.topics(topics)], dim=1)
        return torch.as_tensor(self.output(self.drop(relu(self.hidden(self.drop(seen))))))


class Vocabulary:
    """Rows of the embedding tables: 0 padding, 1 unseen, then characters seen twice and all sounds."""

    def __init__(self, rows: Sequence[Utterance]) -> None:
        seen = [symbols(row.text) for row in rows]
        characters = Counter(char for chars, _ in seen for char in chars)
        sounds = Counter(sound for _, heard in seen for sound in heard)
        self.characters = ["", "", *sorted(char for char, count in characters.items() if count >= RARE)]
        self.sounds = ["", "", *sorted(sounds)]
        self._character = {name: row for row, name in enumerate(self.characters) if name}
        self._sound = {name: row for row, name in enumerate(self.sounds) if name}

    def encode(self, text: str) -> tuple[list[int], list[int]]:
        characters, sounds = symbols(text)
        return [self._character.get(c, UNSEEN) for c in characters], [self._sound.get(s, UNSEEN) for s in sounds]


def train(rows: Sequence[Utterance], vocabulary: Vocabulary, seed: int) -> dict[str, NDArray[np.float16]]:
    """Trains on `rows`; returns the parameters under the names of the model file. Same rows and seed, same model."""
    torch.manual_seed(seed)
    chance = random.Random(seed)
    intents = tuple(sorted({label for row in rows for label in row.labels}))
    wanted, moods = torch.from_numpy(targets(rows, intents)), torch.from_numpy(emotion_targets(rows))
    alike = Homophones(row.text for row in rows)
    net = Convolutions(len(vocabulary.characters), len(vocabulary.sounds), len(intents) + len(EMOTIONS))
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    steps = EPOCHS * -(-len(rows) // BATCH)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for _ in range(EPOCHS):
        texts = [alike.swap(row.text, SWAPPED, chance) if chance.random() < NOISY else row.text for row in rows]
        for chosen in _batches(texts, chance):
            inputs = _tensors([texts[i] for i in chosen], [rows[i].topic for i in chosen], vocabulary)
            logits = net(*inputs)
            intent_loss = -(wanted[chosen] * log_softmax(logits[:, : len(intents)], 1)).sum(1).mean()
            loss = intent_loss + EMOTION_WEIGHT * cross_entropy(
                logits[:, len(intents) :], moods[chosen], ignore_index=-1
            )
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            optimiser.step()
            pace.step()
    return _parameters(net)


def _batches(texts: Sequence[str], chance: random.Random) -> Iterator[list[int]]:
    """Batches of texts of similar length in random order: short ones need not wait for long ones."""
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]) + 3 * chance.random())
    batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    chance.shuffle(batches)
    yield from batches


def _tensors(
    texts: Sequence[str], topics: Sequence[str], vocabulary: Vocabulary
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    encoded = [vocabulary.encode(text) for text in texts]
    longest = max(len(characters) for characters, _ in encoded)
    tables = np.zeros((2, len(texts), longest), np.int64)
    for line, pair in enumerate(encoded):
        for which, row in enumerate(pair):
            tables[which, line, : len(row)] = row
    hidden = torch.rand(len(texts), longest) < BLANKED
    characters = torch.from_numpy(tables[0])
    characters = torch.where(hidden & (characters > 0), UNSEEN, characters)
    return characters, torch.from_numpy(tables[1]), torch.tensor([TOPICS.index(topic) for topic in topics])


def _parameters(net: Convolutions) -> dict[str, NDArray[np.float16]]:
    kept = {
        "characters": net.characters.weight, "sounds": net.sounds.weight, "topics": net.topics.weight,
        "hidden": net.hidden.weight.T, "hidden_bias": net.hidden.bias,
        "output": net.output.weight.T, "output_bias": net.output.bias,
    }
    for index, each in enumerate(net.filters):
        kept[f"filter{index}"] = torch.as_tensor(each.weight).permute(2, 1, 0)
        kept[f"shift{index}"] = torch.as_tensor(each.bias)
    return {name: value.detach().numpy().astype(np.float16) for name, value in kept.items()}


def save(path: Path, vocabulary: Vocabulary, parameters: dict[str, NDArray[np.float16]]) -> None:
    """Writes the file that `voicebot.intent.network.Network.load` reads (half precision)."""
    names: dict[str, Any] = {
        "characters_names": vocabulary.characters, "sounds_names": vocabulary.sounds, "topics_names": TOPICS
    }
    np.savez_compressed(path, **{**parameters, **names, "widths": len(WIDTHS)})
