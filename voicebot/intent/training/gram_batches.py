"""Batches of n-gram rows for an embedding bag, some of them hidden in each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from voicebot.intent.vocabulary import Floats, Rows


@dataclass(frozen=True, slots=True)
class Grams:
    """Rows of an utterance's n-grams and their weights, unit length."""

    rows: Rows
    values: Floats


def batch(said: Sequence[Grams], sharpness: float, hidden: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rows, where each utterance begins, and weights, of which a share `hidden` is nothing and the rest more."""
    rows = torch.from_numpy(np.concatenate([each.rows for each in said]))
    values = torch.from_numpy(np.concatenate([each.values for each in said])) * sharpness
    if hidden:
        values = values * (torch.rand_like(values) > hidden) / (1 - hidden)
    begins = np.cumsum([0] + [len(each.rows) for each in said[:-1]])
    return rows, torch.from_numpy(begins.astype(np.int64)), values
