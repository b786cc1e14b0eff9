"""Says a sample of the development hand through a telephone line to the embedded recogniser and keeps what it heard.

`python -m benchmarks.intent.heard` writes voicebot/intent/training/data/dev-heard.jsonl.gz; `make eval-intent` reads
it. Needs the extra `train` and espeak.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np

from voicebot.asr.embedded import EmbeddedRecognizer
from voicebot.asr.training import speech
from voicebot.asr.training.evaluate import VOICES, through, transcribe_all
from voicebot.asr.training.validate import edit_distance
from voicebot.config import models_dir
from voicebot.intent.training.corpus import Utterance, development_set
from voicebot.mandarin.aloud import letters

SEED = 11
_TOGETHER = 20


def heard(rows: Sequence[Utterance], voices: str, line: str) -> list[str]:
    """What the recogniser makes of each text, spoken by those `voices` over that `line`."""
    chance, noise = random.Random(SEED), np.random.default_rng(SEED)
    sounds = [speech.speak(row.text, chance, VOICES[voices])[0].astype(np.float32) / np.float32(32768) for row in rows]
    count = len(sounds)
    lined = [through(line, sound, noise, [sounds[(i + k) % count] for k in (1, 2)]) for i, sound in enumerate(sounds)]
    return transcribe_all(EmbeddedRecognizer(models_dir()), lined)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200, help="size of the sample (default 200)")
    count = parser.parse_args().rows
    # Texts without a Chinese character (noises, English announcements) are nothing this voice can say.
    spoken = [row for row in development_set() if re.search(r"[\u4e00-\u9fff]", row.text)]
    rows = random.Random(SEED).sample(spoken, min(count, len(spoken)))
    out, errors = [], 0
    for start in range(0, len(rows), _TOGETHER):
        part = rows[start : start + _TOGETHER]
        texts = heard(part, "seen", "phone")
        errors += sum(edit_distance(text, letters(row.text)) for row, text in zip(part, texts, strict=True))
        out += [
            {"text": text, "meant": row.text, "labels": row.labels, "emotion": row.emotion, "context": row.topic,
             "writer": row.writer}
            for row, text in zip(part, texts, strict=True)
        ]
        print(f"{len(out)} of {len(rows)}", flush=True)
    path = Path(str(files("voicebot.intent.training"))) / "data" / "dev-heard.jsonl.gz"
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in out)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    characters = sum(len(letters(row.text)) for row in rows)
    print(f"{path.name}: {len(out)} utterances, character errors {100 * errors / characters:.1f} %")


if __name__ == "__main__":
    main()
