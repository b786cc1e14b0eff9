"""A quick look during training: syllable error rate on a few utterances that are never trained on."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from voicebot.asr.features import fbank
from voicebot.asr.training import augment, speech, texts
from voicebot.asr.training.network import Network
from voicebot.tts.voices import HELD_OUT, SEEN

COUNT = 120


def edit_distance(said: Sequence[str], meant: Sequence[str]) -> int:
    """Insertions, deletions and substitutions between two sequences."""
    row = list(range(len(meant) + 1))
    for i, a in enumerate(said, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(meant, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


@cache
def _utterances(folder: Path, variants: tuple[str, ...], count: int) -> list[tuple[NDArray[np.float32], list[str]]]:
    name = "check-seen" if variants == SEEN else "check-held-out"
    if not (folder / f"{name}.jsonl").exists():
        speech.generate(folder, name, count, 77, texts.draw, variants)
    rows, pcm = speech.load(folder, name)
    heard = []
    for row in rows:
        samples = np.pad(speech.samples(pcm, row), (2400, 4800))
        samples = augment.set_peak(augment.band_limit(samples, 300, 3400), -8)
        heard.append((fbank(augment.g711(samples, "a")), row.syllables))
    return heard


def greedy(scores: NDArray[np.float32], tokens: Sequence[str]) -> list[str]:
    """Best path of (T', tokens) scores without repeats and blanks."""
    best = scores.argmax(-1)
    kept = best[np.flatnonzero(np.diff(best, prepend=0))]
    return [tokens[k] for k in kept if k]


def line(network: Network, tokens: Sequence[str], folder: Path, count: int = COUNT) -> str:
    """`check: seen voices 12.3 % (toneless 4.5), held-out voices ...`."""
    parts = []
    network.eval()
    for label, variants in (("seen", SEEN), ("held-out", HELD_OUT)):
        tonal = toneless = total = 0
        for frames, meant in _utterances(folder, variants, count):
            with torch.no_grad():
                said = greedy(network(torch.from_numpy(frames)[None])[0][0].numpy(), tokens)
            tonal += edit_distance(said, meant)
            toneless += edit_distance([s[:-1] for s in said], [s[:-1] for s in meant])
            total += len(meant)
        parts.append(f"{label} voices {100 * tonal / total:.1f} % (toneless {100 * toneless / total:.1f})")
    network.train()
    return "      check: syllable errors, " + ", ".join(parts)
