"""Says a sample of the corpus through a telephone line to the embedded recogniser and keeps what it heard.

`python -m benchmarks.intent.heard` writes voicebot/intent/training/data/dev-heard.jsonl.gz, which `make eval-intent`
reads; with `--hands training` it writes train-heard.jsonl.gz, from which training learns the recogniser's confusions.
Needs the extra `train` and espeak.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np

from voicebot.asr.embedded import EmbeddedRecognizer
from voicebot.asr.training import speech
from voicebot.asr.training.evaluate import VOICES, through, transcribe_all
from voicebot.asr.training.validate import edit_distance
from voicebot.config import models_dir
from voicebot.intent.training.corpus import Utterance, development_set, training_set
from voicebot.mandarin.aloud import letters

SEED = 11
HANDS = {"development": (development_set, "dev-heard", 200), "training": (training_set, "train-heard", 4000)}
"""Who is said, the file it goes to, and the usual size of the sample."""
_TOGETHER = 20
_WAYS = {
    "development": (("seen", "phone"),),
    "training": (("held out", "phone"), ("seen", "noisy"), ("seen", "phone"), ("held out", "noisy")),
}
"""Voices and lines, in turn."""


def heard(rows: Sequence[Utterance], ways: Sequence[tuple[str, str]], recognizer: EmbeddedRecognizer) -> Iterator[str]:
    """What the recogniser makes of each text, twenty at a time spoken by the next voices over the next line."""
    chance, noise = random.Random(SEED), np.random.default_rng(SEED)
    for place, start in enumerate(range(0, len(rows), _TOGETHER)):
        voices, line = ways[place % len(ways)]
        texts = [row.text for row in rows[start : start + _TOGETHER]]
        spoken = [speech.speak(text, chance, VOICES[voices])[0] for text in texts]
        sounds = [pcm.astype(np.float32) / np.float32(32768) for pcm in spoken]
        count = len(sounds)
        lined = [
            through(line, sound, noise, [sounds[(i + k) % count] for k in (1, 2)]) for i, sound in enumerate(sounds)
        ]
        yield from transcribe_all(recognizer, lined)
        print(f"{start + count} of {len(rows)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hands", choices=HANDS, default="development")
    parser.add_argument("--rows", type=int, help="size of the sample (default 200 or 4000)")
    options = parser.parse_args()
    read, name, usual = HANDS[options.hands]
    # Texts without a Chinese character (noises, English announcements) are nothing this voice can say.
    spoken = [row for row in read() if re.search(r"[\u4e00-\u9fff]", row.text)]
    rows = random.Random(SEED).sample(spoken, min(options.rows or usual, len(spoken)))
    texts = list(heard(rows, _WAYS[options.hands], EmbeddedRecognizer(models_dir())))
    kept = [_kept(row, text) for row, text in zip(rows, texts, strict=True)]
    out = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in kept)
    path = Path(str(files("voicebot.intent.training"))) / "data" / f"{name}.jsonl.gz"
    path.write_bytes(gzip.compress(out.encode(), mtime=0))
    errors = sum(edit_distance(text, letters(row.text)) for row, text in zip(rows, texts, strict=True))
    characters = sum(len(letters(row.text)) for row in rows)
    print(f"{path.name}: {len(rows)} utterances, character errors {100 * errors / characters:.1f} %")


def _kept(row: Utterance, text: str) -> dict[str, object]:
    return {
        "text": text, "meant": row.text, "labels": row.labels, "emotion": row.emotion, "context": row.topic,
        "writer": row.writer,
    }


if __name__ == "__main__":
    main()
