"""`make train-intent`: trains the intent model with a fixed seed and writes models/intent.npz and models/intent.json."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch

from voicebot.config import models_dir
from voicebot.intent.classifier import CALIBRATION_FILE, MODEL_FILE, Calibration
from voicebot.intent.training import calibration, linear
from voicebot.intent.training.corpus import Utterance, training_set

SEED = 7
HELD_OUT = "north"
"""The hand that is left out of a first training, only to calibrate."""


def calibrated(rows: list[Utterance]) -> Calibration:
    """Trains without one hand and fits temperatures and thresholds on it."""
    model = linear.train([row for row in rows if row.writer != HELD_OUT], SEED)
    unseen = [row for row in rows if row.writer == HELD_OUT]
    logits = [model.logits(row.text, row.topic) for row in unseen]
    scores, moods = np.stack([s for s, _ in logits]), np.stack([m for _, m in logits])
    return calibration.fit(unseen, model.intents, model.emotions, scores, moods)


def main(folder: Path | None = None) -> None:
    torch.set_num_threads(1)
    folder = folder or models_dir()
    started, rows = time.monotonic(), training_set()
    fitted = calibrated(rows)
    linear.train(rows, SEED).save(folder / MODEL_FILE)
    fitted.save(folder / CALIBRATION_FILE)
    print(f"{len(rows)} utterances, {time.monotonic() - started:.0f} s, {fitted}")


if __name__ == "__main__":
    main()
