"""`make train-intent`: trains the intent models with a fixed seed and writes models/intent*.npz and intent.json."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from voicebot.config import models_dir
from voicebot.intent.classifier import CALIBRATION_FILE, MODEL_FILE, NETWORK_FILE, Calibration
from voicebot.intent.linear import LinearModel
from voicebot.intent.network import Network
from voicebot.intent.training import calibration, linear, network
from voicebot.intent.training.corpus import Utterance, training_set

SEED = 7
HELD_OUT = "north"
"""The hand that is left out of a first training, only to calibrate."""


def train_into(folder: Path, rows: list[Utterance]) -> tuple[LinearModel, Network]:
    """Trains both models on `rows` and writes them to `folder`."""
    linear.train(rows, SEED).save(folder / MODEL_FILE)
    vocabulary = network.Vocabulary(rows)
    network.save(folder / NETWORK_FILE, vocabulary, network.train(rows, vocabulary, SEED))
    return LinearModel.load(folder / MODEL_FILE), Network.load(folder / NETWORK_FILE)


def calibrated(rows: list[Utterance]) -> Calibration:
    """Trains without one hand and fits shares, temperatures and thresholds on it."""
    with tempfile.TemporaryDirectory() as folder:
        first, second = train_into(Path(folder), [row for row in rows if row.writer != HELD_OUT])
    unseen = [row for row in rows if row.writer == HELD_OUT]
    one = [first.logits(row.text, row.topic) for row in unseen]
    two = [second.logits(row.text, row.topic, len(first.intents)) for row in unseen]
    return calibration.fit(unseen, first.intents, first.emotions, _stacked(one), _stacked(two))


def _stacked(logits: list[calibration.Logits]) -> calibration.Logits:
    return np.stack([intents for intents, _ in logits]), np.stack([emotions for _, emotions in logits])


def main(folder: Path | None = None) -> None:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    folder = folder or models_dir()
    started, rows = time.monotonic(), training_set()
    fitted = calibrated(rows)
    print(f"calibrated after {time.monotonic() - started:.0f} s: {fitted}", flush=True)
    train_into(folder, rows)
    fitted.save(folder / CALIBRATION_FILE)
    print(f"{len(rows)} utterances, {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
