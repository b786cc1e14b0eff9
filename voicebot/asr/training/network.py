"""The acoustic network: causal convolutions from filter-bank frames to tonal syllables, about 1 M parameters.

Two strided convolutions (40 ms per output, 30 ms look-ahead), six residual blocks of a causal depthwise convolution
and a small feed-forward part, and a factored output: score(syllable) = initial + final + tone + bias.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as f
from torch import Tensor, nn

from voicebot.asr.features import BANDS

STEM, WIDTH, BLOCKS, KERNEL, EXPANSION = 128, 192, 6, 9, 2
STRIDE, LOOK = 4, 7  # one output per 4 feature frames; output t reads frames 4t .. 4t+6
BLANK = "<blank>"
_INITIALS = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")


def outputs(frames: Tensor) -> Tensor:
    """How many outputs so many feature frames give."""
    return torch.clamp((frames - LOOK) // STRIDE + 1, min=0)


def parts(syllable: str) -> tuple[str, str, str]:
    """`juan4` -> ("I:j", "F:van", "T:4")."""
    base, tone = syllable[:-1], syllable[-1]
    initial = next((i for i in _INITIALS if base.startswith(i) and len(base) > len(i)), "")
    final = base[len(initial) :]
    if initial in ("j", "q", "x", "y") and final.startswith("u"):
        final = "v" + final[1:]
    if final == "i" and initial in ("zh", "ch", "sh", "r", "z", "c", "s"):
        final = "-i"
    return f"I:{initial}", f"F:{final}", f"T:{tone}"


def factors(tokens: Sequence[str]) -> Tensor:
    """(parts + 1, tokens) 0/1 matrix: which parts add up to which token; row and column 0 are the blank."""
    names = sorted({part for token in tokens[1:] for part in parts(token)})
    row = {name: i for i, name in enumerate(names, 1)}
    matrix = torch.zeros(len(names) + 1, len(tokens))
    matrix[0, 0] = 1
    for column, token in enumerate(tokens[1:], 1):
        for part in parts(token):
            matrix[row[part], column] = 1
    return matrix


class Block(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(WIDTH, WIDTH, KERNEL, groups=WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.up = nn.Linear(WIDTH, WIDTH * EXPANSION)
        self.down = nn.Linear(WIDTH * EXPANSION, WIDTH)
        nn.init.zeros_(self.down.bias)
        self.down.weight.data *= 0.5

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """x (N, T, WIDTH), past (N, WIDTH, KERNEL - 1) -> the same shapes."""
        seen = torch.cat([past, x.transpose(1, 2)], 2)
        y = self.depthwise(seen).transpose(1, 2)
        return x + self.down(f.relu(self.up(self.norm(y)))), seen[:, :, seen.shape[2] - (KERNEL - 1) :]


class Network(nn.Module):  # type: ignore[misc]
    """features (N, T, 40) and cache (N, BLOCKS, WIDTH, KERNEL - 1) -> logits (N, T', tokens) and the next cache."""

    sum_parts: Tensor

    def __init__(self, tokens: Sequence[str]) -> None:
        super().__init__()
        self.stem1 = nn.Conv1d(BANDS, STEM, 3, 2)
        self.stem2 = nn.Conv1d(STEM, WIDTH, 3, 2)
        self.stem_norm = nn.LayerNorm(WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(WIDTH)
        matrix = factors(tokens)
        self.register_buffer("sum_parts", matrix, persistent=False)
        self.parts = nn.Linear(WIDTH, len(matrix))
        self.bias = nn.Parameter(torch.zeros(len(tokens)))

    def forward(self, features: Tensor, cache: Tensor | None = None) -> tuple[Tensor, Tensor]:
        if cache is None:
            cache = features.new_zeros(len(features), BLOCKS, WIDTH, KERNEL - 1)
        x = ((features + 6.0) / 3.0).transpose(1, 2)
        x = self.stem_norm(f.relu(self.stem2(f.relu(self.stem1(x)))).transpose(1, 2))
        following = []
        for i, block in enumerate(self.blocks):
            x, past = block(x, cache[:, i])
            following.append(past)
        return self.parts(self.norm(x)) @ self.sum_parts + self.bias, torch.stack(following, 1)
