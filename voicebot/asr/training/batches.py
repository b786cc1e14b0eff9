"""Training batches, the same for the same seed: shards in the order they are spoken, then shuffles of all of them."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from voicebot.asr.features import BANDS, HOP, RATE, SILENCE, fbank
from voicebot.asr.training import speech
from voicebot.asr.training.augment import ROUGH, USUAL, Hardship, Heard, telephone
from voicebot.asr.training.network import LOOK, STRIDE
from voicebot.asr.training.speech import Utterance

_BUCKET, _BATCH_S, _LONGEST_S = 96, 30, 9.0
_DELAY = 1  # outputs: the network may hear 40 ms of a syllable before it must say which one it is
_OUTPUT_S = STRIDE * HOP / RATE


@dataclass(frozen=True, slots=True)
class Batch:
    """features (N, T, 40), frames (N), frame_labels (N, T'), labels (all in a row) and their counts (N)."""

    features: Tensor
    frames: Tensor
    frame_labels: Tensor
    labels: Tensor
    counts: Tensor


class Shards:
    """The training speech; waits for shards that are still being spoken."""

    def __init__(
        self, folder: Path, count: int, tokens: Sequence[str], wanted: Callable[[], bool] = lambda: True
    ) -> None:
        """`wanted`: False once nobody waits for batches any more."""
        self._folder, self._count, self._wanted = folder, count, wanted
        self._index = {token: i for i, token in enumerate(tokens)}
        self._loaded: list[tuple[list[Utterance], NDArray[np.int16]]] = []

    def _shard(self, number: int) -> tuple[list[Utterance], NDArray[np.int16]]:
        name = f"train-{number:03d}"
        while len(self._loaded) <= number:
            while not (self._folder / f"{name}.jsonl").exists():
                if not self._wanted():
                    raise SystemExit("nobody waits for batches any more")
                time.sleep(0.2)
            self._loaded.append(speech.load(self._folder, f"train-{len(self._loaded):03d}"))
        return self._loaded[number]

    def audio(self, item: tuple[int, int]) -> NDArray[np.float32]:
        rows, pcm = self._shard(item[0])
        return speech.samples(pcm, rows[item[1]])

    def batches(self, seed: int, skip: int, rough_from: int | None = None) -> Iterator[Batch]:
        """Endless; `skip` passes over the batches of an earlier run without preparing them.

        From batch `rough_from` on the lines are rough.
        """
        passes = [[n] for n in range(self._count)]
        step = epoch = 0
        while True:
            numbers = passes[epoch] if epoch < self._count else list(range(self._count))
            plan = self._plan(numbers, np.random.default_rng((seed, epoch)))
            if not plan:
                raise ValueError(f"shards {numbers} hold too little speech for one batch: speak more utterances")
            for items in plan:
                if step >= skip:
                    hardship = ROUGH if rough_from is not None and step >= rough_from else USUAL
                    yield self._prepare(items, numbers, np.random.default_rng((seed, 7, step)), hardship)
                step += 1
            epoch += 1

    def _plan(self, numbers: Sequence[int], rng: Generator) -> list[list[tuple[int, int]]]:
        """Utterances of about the same length together: few tensor shapes, little padding."""
        items = [(n, i) for n in numbers for i, row in enumerate(self._shard(n)[0]) if self._usable(row)]
        open_batches: dict[int, list[tuple[int, int]]] = {}
        plan = []
        for k in rng.permutation(len(items)):
            number, i = items[k]
            width = -(-(self._shard(number)[0][i].samples // HOP + 90) // _BUCKET)
            batch = open_batches.setdefault(width, [])
            batch.append((number, i))
            if len(batch) >= max(4, int(_BATCH_S * 100 / (width * _BUCKET))):
                plan.append(open_batches.pop(width))
        return [plan[k] for k in rng.permutation(len(plan))]

    def _usable(self, row: Utterance) -> bool:
        return row.samples < _LONGEST_S * RATE and all(s in self._index for s in row.syllables)

    def _prepare(
        self, items: Sequence[tuple[int, int]], numbers: Sequence[int], rng: Generator, hardship: Hardship
    ) -> Batch:
        def talkers() -> list[NDArray[np.float32]]:
            rows = [int(rng.choice(numbers)) for _ in range(3)]
            return [self.audio((n, int(rng.integers(len(self._shard(n)[0]))))) for n in rows]

        heard = [telephone(self.audio(item), rng, talkers, hardship) for item in items]
        features = [_masked(fbank(h.samples), rng) for h in heard]
        rows = [self._shard(n)[0][i] for n, i in items]
        labels = [[self._index[s] for s in row.syllables] for row in rows]
        width = -(-max(map(len, features)) // _BUCKET) * _BUCKET
        padded = np.full((len(items), width, BANDS), SILENCE, np.float32)
        frame_labels = np.zeros((len(items), (width - LOOK) // STRIDE + 1), np.int64)
        for k, frames in enumerate(features):
            padded[k, : len(frames)] = frames
            _place(frame_labels[k], labels[k], rows[k].spans, heard[k])
        flat = [label for row_labels in labels for label in row_labels]
        return Batch(
            torch.from_numpy(padded),
            torch.tensor([len(x) for x in features]),
            torch.from_numpy(frame_labels),
            torch.tensor(flat),
            torch.tensor([len(x) for x in labels]),
        )


def _masked(frames: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
    """SpecAugment: two stripes of time up to 110 ms and two of frequency up to 4 bands."""
    for _ in range(2):
        start = int(rng.integers(0, max(1, len(frames) - 20)))
        frames[start : start + int(rng.integers(0, 12))] = -6
        band = int(rng.integers(0, BANDS - 4))
        frames[:, band : band + int(rng.integers(0, 5))] = -6
    return frames


def _place(row: NDArray[np.int64], labels: Sequence[int], spans: Sequence[Sequence[int]], heard: Heard) -> None:
    """Each syllable labels the second half of its time; the rest is blank."""
    for label, (start, end) in zip(labels, spans, strict=True):
        first = (start * 0.45 + end * 0.55) / 1000 * heard.stretch + heard.lead_s
        last = end / 1000 * heard.stretch + heard.lead_s
        a, b = int(first / _OUTPUT_S) + _DELAY, int(last / _OUTPUT_S) + _DELAY
        row[a : max(b, a + 1)] = label
