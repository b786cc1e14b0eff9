"""Trains the acoustic network: syllable times, then CTC, then rough lines; resumable, with an averaged copy.

A checkpoint holds the network, its running average (what `export` writes), the optimizer and the step. The schedule
depends on the step alone, so the same seed and shards give the same course (up to the CPU's own rounding).
"""

import argparse
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import Empty, Full
from typing import Any

import torch
import torch.multiprocessing as mp
import torch.nn.functional as f
from torch import Tensor, nn

from voicebot.asr.training import validate
from voicebot.asr.training.batches import Batch, Shards
from voicebot.asr.training.network import BLANK, Network, outputs
from voicebot.asr.training.speech import training_folder
from voicebot.asr.training.tokens import syllables

_PEAK_RATE, _ROUGH_RATE, _WARM_STEPS, _BLANK_WEIGHT = 2e-3, 6e-4, 300, 0.25
_REPORT, _CHECKPOINT = 100, 500
_ASKED_EVERY_S = 5.0


def learning_rate(step: int, total: int, rough: int = 0) -> float:
    """Warm up, stay for 35 % of the steps, then half a cosine down to 1 %; another half for the rough steps after."""
    if step >= total:
        return _ROUGH_RATE * max(0.01, 0.5 * (1 + math.cos(math.pi * min(1.0, (step - total) / max(rough, 1)))))
    done = step / total
    fall = 1.0 if done < 0.35 else max(0.01, 0.5 * (1 + math.cos(math.pi * (done - 0.35) / 0.65)))
    return _PEAK_RATE * min(1.0, (step + 1) / _WARM_STEPS) * fall


def time_weight(step: int, total: int) -> float:
    """How much the known syllable times count against CTC: all of it at first, none after 45 % of the steps."""
    return min(1.0, max(0.0, 1 - (step / total - 0.08) / 0.37))


def loss(network: nn.Module, batch: Batch, timed: float) -> tuple[Tensor, Tensor]:
    """(what to descend, CTC loss per label)."""
    logits, _ = network(batch.features)
    scores = logits.float().log_softmax(-1)
    ctc = f.ctc_loss(scores.transpose(0, 1), batch.labels, outputs(batch.frames), batch.counts, zero_infinity=True)
    if timed <= 0:
        return 0.55 * ctc, ctc.detach()
    weights = torch.ones(scores.shape[-1])
    weights[0] = _BLANK_WEIGHT
    by_time = f.nll_loss(scores.flatten(0, 1), batch.frame_labels.flatten(), weight=weights)
    return 2 * timed * by_time + 0.55 * (1 - timed) * ctc, ctc.detach()


class Course:
    """One training run in a folder: `total` steps on usual lines, then `rough` ones on rough lines."""

    def __init__(self, folder: Path, total: int, tokens: Sequence[str], rough: int = 0) -> None:
        self.folder, self.total, self.rough, self.step = folder, total, rough, 0
        self.tokens = tuple(tokens)
        self.network, self.average = Network(tokens), Network(tokens)
        self.average.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01, fused=True
        )

    def resume(self) -> None:
        path = self.folder / "checkpoint.pt"
        if path.exists():
            saved = torch.load(path, weights_only=True)
            self.network.load_state_dict(saved["network"])
            self.average.load_state_dict(saved["average"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.step = saved["step"]

    def save(self) -> None:
        part = self.folder / "checkpoint.part"
        torch.save(
            {
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
            },
            part,
        )
        part.rename(self.folder / "checkpoint.pt")

    def learn(self, batch: Batch) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, self.total, self.rough)
        descend, ctc = loss(self.network, batch, time_weight(self.step, self.total))
        self.optimizer.zero_grad()
        descend.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.step += 1
        keep = min(0.999, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 1 - keep)
        return float(ctc)


def _prepare(
    queue: "mp.Queue[Batch]", folder: Path, shards: int, tokens: Sequence[str], seed: int, skip: int, rough_from: int
) -> None:
    torch.set_num_threads(1)
    trainer = os.getppid()
    for batch in Shards(folder, shards, tokens, wanted=lambda: os.getppid() == trainer).batches(seed, skip, rough_from):
        while os.getppid() == trainer:  # an orphan stops
            try:
                queue.put(batch, timeout=5)
                break
            except Full:
                continue
        else:
            return


def _prepared(
    course: Course, shards: int, tokens: Sequence[str], seed: int, alive: Callable[[], bool]
) -> Iterator[Batch]:
    """Batches made ahead in a process of their own. SystemExit when no more can come."""
    context = mp.get_context("fork")
    queue = context.Queue(12)
    maker = context.Process(
        target=_prepare,
        args=(queue, course.folder, shards, tokens, seed, course.step, course.total),
        daemon=True,
    )
    maker.start()
    try:
        while True:
            try:
                yield queue.get(timeout=_ASKED_EVERY_S)
            except Empty:
                if not (maker.is_alive() and alive()):
                    raise SystemExit("no more training speech is coming; the message why is above") from None
    finally:
        maker.terminate()


class Progress:
    """What is printed on the way: a line per `every` steps."""

    def __init__(self, last: int, every: int) -> None:
        self._last, self._every = last, every
        self._began = time.monotonic()
        self._heard_s = self._ctc = self._waited_s = 0.0

    def learnt(self, step: int, batch: Batch, ctc: float, waited_s: float) -> None:
        self._heard_s += float(batch.frames.sum()) / 100
        self._ctc += ctc
        self._waited_s += waited_s
        if step % self._every == 0:
            spent = time.monotonic() - self._began
            print(
                f"{spent / 60:5.1f} min  step {step}/{self._last}  ctc {self._ctc / self._every:.3f}"
                f"  heard {self._heard_s / 3600:.1f} h  {self._heard_s / spent:.0f} x real time"
                f"  waited {100 * self._waited_s / spent:.0f} %",
                flush=True,
            )
            self._ctc = 0.0


def _always() -> bool:
    return True


def train(course: Course, shards: int, seed: int, every: int, check: int, alive: Callable[[], bool] = _always) -> None:
    """Trains the course to its end from its last checkpoint, and makes one every so many steps.

    `check`: utterances of the quick look at each of them; `alive`: False once the speech it waits for will not come.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    (course.folder / "tokens.json").write_text(json.dumps(course.tokens))
    course.resume()
    last, progress = course.total + course.rough, Progress(course.total + course.rough, min(every, _REPORT))
    batches = _prepared(course, shards, course.tokens, seed, alive)
    while course.step < last:
        asked = time.monotonic()
        batch = next(batches)
        waited_s = time.monotonic() - asked
        progress.learnt(course.step + 1, batch, course.learn(batch), waited_s)
        if course.step % every == 0 or course.step in (course.total, last):
            course.save()
            print(validate.line(course.average, course.tokens, course.folder, check), flush=True)
    batches.close()  # type: ignore[attr-defined]


def main(argv: Sequence[str] | None = None, alive: Callable[[], bool] = _always) -> None:
    parser = argparse.ArgumentParser(description="Train the embedded recogniser")
    parser.add_argument("--steps", type=int, default=18000, help="on usual lines")
    parser.add_argument("--rough", type=int, default=3000, help="after them, on rough lines")
    parser.add_argument("--shards", type=int, default=26)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--every", type=int, default=_CHECKPOINT, help="steps between two checkpoints")
    parser.add_argument("--check", type=int, default=validate.COUNT, help="utterances of the quick look at each")
    given: Any = parser.parse_args(argv)
    folder = training_folder()
    folder.mkdir(parents=True, exist_ok=True)
    os.nice(5)
    torch.manual_seed(given.seed)
    course = Course(folder, given.steps, [BLANK, *syllables()], given.rough)
    train(course, given.shards, given.seed, given.every, given.check, alive)


if __name__ == "__main__":
    main()
