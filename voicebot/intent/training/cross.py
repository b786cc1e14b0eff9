"""Each hand understood by a model that never saw it: `python -m voicebot.intent.training.cross [HAND …]` (hours).

The honest estimate of what strangers get; the rules beside the model were written with the training hands in view.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch

from voicebot.config import models_dir
from voicebot.intent.classifier import CALIBRATION_FILE, Calibration
from voicebot.intent.training.corpus import WRITERS
from voicebot.intent.training.train import on_unseen, train_into

HANDS = tuple(hand for hand in WRITERS if hand != "taxonomy")


def left_out(hand: str, calibration: Calibration) -> str:
    """Figures on `hand` by a model of all others, with a calibration fitted elsewhere."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train_into(folder, (hand,))
        calibration.save(folder / CALIBRATION_FILE)
        return on_unseen(folder, (hand,))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hands", nargs="*", metavar="HAND", help=f"of {', '.join(HANDS)}; default all")
    hands = parser.parse_args().hands or HANDS
    if strangers := set(hands) - set(HANDS):
        parser.error(f"no hand of the corpus: {', '.join(sorted(strangers))}")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for hand in hands:
        print(left_out(hand, Calibration.load(models_dir() / CALIBRATION_FILE)), flush=True)


if __name__ == "__main__":
    main()
