"""The whole making of the embedded recogniser: speak, train, export, wording: `make train-asr`.

Takes hours on two cores. It may be stopped at any moment, killed even, and started again: shards that were spoken whole
and the last checkpoint are kept, and the course is the same as if it had never stopped. Everything small, to try it:

    make train-asr ARGS="--shards 1 --utterances 60 --steps 20 --rough 5 --every 5 --check 5 --draws 500 --out small"
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from voicebot.asr.embedded import MODEL_NAME, WORDING_NAME
from voicebot.asr.training import export, speech, train, wording
from voicebot.config import models_dir

_STOPS_WITHIN_S = 10


def main(argv: Sequence[str] | None = None) -> None:
    given = _options(argv)
    spoken = {"shards": given.shards, "utterances": given.utterances, "seed": given.speech_seed}
    speaker = subprocess.Popen([sys.executable, "-m", "voicebot.asr.training.speech", *_words(spoken)])
    try:
        wording.main(_words({"out": given.out / WORDING_NAME, "draws": given.draws}))
        course = {name: getattr(given, name) for name in ("shards", "steps", "rough", "seed", "every", "check")}
        train.main(_words(course), alive=lambda: not speaker.poll())
        if speaker.wait():
            raise SystemExit("speaking the training texts failed; its message is above")
        export.main(_words({"out": given.out / MODEL_NAME}))
    finally:
        speaker.terminate()
        speaker.wait(_STOPS_WITHIN_S)


def _options(argv: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser(description=f"Make {MODEL_NAME} and {WORDING_NAME}")
    parser.add_argument("--shards", type=int, default=26, help="pieces of training speech, about two hours each")
    parser.add_argument("--utterances", type=int, default=speech.SHARD_UTTERANCES, help="of a shard")
    parser.add_argument("--steps", type=int, default=18000, help="of training on usual lines")
    parser.add_argument("--rough", type=int, default=3000, help="of training on rough lines after that")
    parser.add_argument("--seed", type=int, default=5, help="of the training")
    parser.add_argument("--speech-seed", type=int, default=2026, help="of texts and voices")
    parser.add_argument("--every", type=int, default=500, help="steps between two checkpoints")
    parser.add_argument("--check", type=int, default=120, help="utterances of the quick look at every checkpoint")
    parser.add_argument("--draws", type=int, default=wording.TEMPLATE_DRAWS, help="sentences for the language model")
    parser.add_argument("--out", type=Path, default=models_dir(), help="folder of the two files")
    return parser.parse_args(argv)


def _words(options: dict[str, object]) -> list[str]:
    return [str(word) for name, value in options.items() for word in (f"--{name}", value)]


if __name__ == "__main__":
    main()
