"""`make train-intent`: trains the intent model with a fixed seed and writes intent.onnx, its words and calibration."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

import torch

from voicebot.config import models_dir
from voicebot.intent.classifier import CALIBRATION_FILE, MODEL_FILE, WORDS_FILE, Calibration
from voicebot.intent.network import Network
from voicebot.intent.training import bag, calibration, convolutions, export, linear, vocabulary
from voicebot.intent.training.corpus import misheard_set, training_set
from voicebot.intent.training.evaluate import figures, table
from voicebot.intent.training.noise import Confusions
from voicebot.intent.understander import Understander
from voicebot.intent.vocabulary import Vocabulary

SEED = 7
HELD_OUT = ("north", "riders")
"""Hands that a first training leaves out, only to calibrate on them."""


def train_into(folder: Path, without: Collection[str] = ()) -> None:
    """Trains the three readers on all hands but those `without`, and writes graph and words to `folder`."""
    written = [row for row in training_set() if row.writer not in without]
    heard = [(row, meant) for row, meant in misheard_set() if row.writer not in without]
    noise = Confusions([(meant, row.text) for row, meant in heard], [row.text for row in written])
    rows = written + [row for row, meant in heard if row.text and row.text != meant]
    words = vocabulary.build(written)
    said = [words.encode(row.text, row.topic) for row in rows]
    parts = (
        linear.train(rows, said, words, SEED), bag.train(rows, said, words, noise, SEED),
        convolutions.train(rows, said, words, noise, SEED),
    )
    words.save(folder / WORDS_FILE)
    export.write(folder / MODEL_FILE, words, *parts)


def calibrated(folder: Path) -> Calibration:
    """Trains into `folder` without some hands, fits shares, temperatures and thresholds on them, and writes them."""
    unseen = [row for row in training_set() if row.writer in HELD_OUT]
    train_into(folder, HELD_OUT)
    words, network = Vocabulary.load(folder / WORDS_FILE), Network(folder / MODEL_FILE)
    fitted = calibration.fit(unseen, words.intents, [network.run(words.encode(r.text, r.topic)) for r in unseen])
    fitted.save(folder / CALIBRATION_FILE)
    return fitted


def on_unseen(folder: Path, hands: Collection[str]) -> str:
    """A table of figures for each of `hands`, by the model of `folder`, which was trained without them."""
    understander, rows = Understander(folder), training_set()
    return table({
        hand: figures([row for row in rows if row.writer == hand], understander.understand) for hand in hands
    })


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=models_dir(), help="folder to write to")
    parser.add_argument("--keep-calibration", action="store_true", help="train the shipped weights only")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    started = time.monotonic()
    if not options.keep_calibration:
        with tempfile.TemporaryDirectory() as name:
            calibrated(Path(name)).save(options.into / CALIBRATION_FILE)
            print(f"After {time.monotonic() - started:.0f} s, hands that this first model never saw:")
            print(on_unseen(Path(name), HELD_OUT), flush=True)
    train_into(options.into)
    print(f"{len(training_set())} utterances, {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
