"""The whole making of the embedded recogniser: speak, train, export, wording: `make train-asr`.

Takes about an hour on two cores. It may be stopped and started again: shards and checkpoints that exist are kept.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from voicebot.asr.training import export, train, wording


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Make models/embedded-asr.onnx and models/embedded-lm.gz")
    parser.add_argument("--shards", type=int, default=26, help="pieces of training speech, about two hours each")
    parser.add_argument("--steps", type=int, default=18000, help="of training on usual lines")
    parser.add_argument("--rough", type=int, default=3000, help="of training on rough lines after that")
    given: Any = parser.parse_args(argv)
    speaker = subprocess.Popen([sys.executable, "-m", "voicebot.asr.training.speech", "--shards", str(given.shards)])
    try:
        wording.main([])
        course = {"--shards": given.shards, "--steps": given.steps, "--rough": given.rough}
        train.main([str(word) for pair in course.items() for word in pair])
        if speaker.wait():
            raise SystemExit("speaking the training texts failed; its message is above")
        export.main([])
    finally:
        speaker.terminate()


if __name__ == "__main__":
    main()
