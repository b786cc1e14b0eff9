"""What the models are trained towards: intents in their order, everything that is meant, emotion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, log_softmax

from voicebot.intent.training.corpus import Utterance
from voicebot.intent.training.vocabulary import EMOTIONS

FIRST = 0.62
"""Weight of the first label beside a second one."""
SMOOTH = 0.05
"""Share of the target that is spread over all intents: neighbours are arguable, and strangers write differently."""
EMOTION_WEIGHT, BESIDE_WEIGHT = 0.4, 0.15


class Targets:
    """Rows of tensors for utterances, in their order; `blended` makes those of two utterances said in one breath."""

    def __init__(self, rows: Sequence[Utterance], intents: Sequence[str]) -> None:
        place = {name: index for index, name in enumerate(intents)}
        first = np.zeros((len(rows), len(intents)), np.float32)
        meant = np.zeros_like(first)
        for line, every, row in zip(first, meant, rows, strict=True):
            for order, label in enumerate(row.labels):
                line[place[label]] += FIRST if order == 0 else 1 - FIRST
                every[place[label]] = 1
            line /= line.sum()
        self.first, self.meant = torch.from_numpy(first), torch.from_numpy(meant)
        self.moods = torch.tensor([EMOTIONS.index(row.emotion) if row.emotion else -1 for row in rows])

    def of(self, chosen: Sequence[int], beside: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Targets of the rows `chosen`; where `beside` is not -1, of both rows together, whose mood nobody judged."""
        first, meant, moods = self.first[chosen], self.meant[chosen], self.moods[chosen].clone()
        for line, other in enumerate(beside):
            if other >= 0:
                first[line] = 0.5 * first[line] + 0.5 * self.first[other]
                meant[line] = torch.maximum(meant[line], self.meant[other])
                moods[line] = -1
        return first, meant, moods


def loss(
    outputs: torch.Tensor, wanted: tuple[torch.Tensor, torch.Tensor, torch.Tensor], smooth: float = SMOOTH
) -> torch.Tensor:
    """`outputs` (n, intents + emotions [+ intents]): order, mood and, if there is a third part, all that is meant."""
    first, meant, moods = wanted
    count = first.shape[1]
    spread = first * (1 - smooth) + smooth / count
    total = -(spread * log_softmax(outputs[:, :count], 1)).sum(1).mean()
    moods_said = outputs[:, count : count + len(EMOTIONS)]
    if bool((moods >= 0).any()):
        total = total + EMOTION_WEIGHT * cross_entropy(moods_said, moods, ignore_index=-1)
    said = outputs[:, count + len(EMOTIONS) :]
    if said.shape[1]:
        total = total + BESIDE_WEIGHT * count * binary_cross_entropy_with_logits(said, meant)
    return torch.as_tensor(total)
