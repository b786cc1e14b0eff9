"""Character error rates of the embedded recogniser by voice, wording and line: `make eval-asr`.

The sound goes through the streaming recogniser in 20 ms pieces, as a call would. Known wording is drawn from the
templates and sayings that the language model has read; unknown wording comes from another hand and was read by nothing.
Figures are answers with amounts, dates and digits in random values: they count in the column of that name.
"""

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from voicebot.asr.embedded import EmbeddedRecognizer
from voicebot.asr.features import RATE
from voicebot.asr.training import augment, slots, speech, texts
from voicebot.asr.training.figures import right
from voicebot.asr.training.validate import edit_distance
from voicebot.config import models_dir
from voicebot.mandarin.aloud import letters
from voicebot.tts.voices import HELD_OUT, SEEN

Floats = NDArray[np.float32]
_TOGETHER = 20
LINES = ("phone", "noisy")
VOICES = {"seen": SEEN, "held out": HELD_OUT}


@dataclass(frozen=True, slots=True)
class Result:
    """`cer`, `exact`, `figures` right in per cent; `rtf` CPU seconds per second of sound with 20 streams at once.

    `goal` is the most that `cer` should be, or for figures the least that `figures` should be; 0 without one.
    """

    wording: str
    voices: str
    line: str
    utterances: int
    cer: float
    exact: float
    figures: float
    rtf: float
    goal: float

    @property
    def met(self) -> str:
        """`yes`, `NO`, or nothing without a goal."""
        if not self.goal:
            return ""
        return "yes" if (self.figures >= self.goal if self.wording == "figures" else self.cer <= self.goal) else "NO"


def known_wording(rng: random.Random) -> str:
    """Half templates, half sayings."""
    return texts.templates().say(rng) if rng.random() < 0.5 else rng.choice(texts.sayings())


def unknown_wording(rng: random.Random) -> str:
    return rng.choice(texts.unseen_sayings())


def figures(rng: random.Random) -> str:
    """Answers about money, dates and identity that say at least one figure."""
    answers = [t for section in ("money and dates", "identity") for t in texts.templates().sections[section]]
    while True:
        said = slots.fill(rng.choice(answers), rng)
        if right(said, "")[1]:
            return said


WORDINGS: dict[str, Callable[[random.Random], str]] = {
    "known": known_wording,
    "unknown": unknown_wording,
    "figures": figures,
}
GOALS = {
    ("known", "seen", "phone"): 3.0,
    ("known", "seen", "noisy"): 12.0,
    ("known", "held out", "noisy"): 12.0,
    ("unknown", "seen", "noisy"): 12.0,
    ("unknown", "held out", "noisy"): 12.0,
    ("known", "held out", "phone"): 8.0,
    ("unknown", "seen", "phone"): 12.0,
    ("unknown", "held out", "phone"): 20.0,
    ("figures", "seen", "phone"): 97.0,
}


def through(line: str, samples: Floats, rng: Generator, others: Sequence[Floats]) -> Floats:
    """`phone`: 300-3400 Hz, random level, A-law. `noisy`: a room, two talkers at 10-20 dB and 2 % loss before that."""
    samples = np.pad(samples, (2400, 2400))
    if line == "noisy":
        samples = augment.reverberate(samples, rng, (0.2, 0.4))
        samples = augment.mix(samples, augment.babble(len(samples), rng, others), rng.uniform(10, 20))
    samples = augment.set_peak(augment.band_limit(samples, 300, 3400), rng.uniform(-18, -3))
    if line == "noisy":
        samples = augment.lose_packets(samples, rng, 0.02)
    return augment.g711(samples, "a")


def evaluate(
    folder: Path, wording: str, voices: str, line: str, count: int, seed: int
) -> tuple[Result, list[tuple[str, str]]]:
    """One row of the table and its (meant, heard) pairs."""
    spoken = [speech.speak(text, rng, VOICES[voices]) for rng, text in _draws(wording, count, seed)]
    sounds = [pcm.astype(np.float32) / np.float32(32768) for pcm, _ in spoken]
    rng = np.random.default_rng(seed)
    lined = [through(line, x, rng, [sounds[(i + k) % count] for k in (1, 2)]) for i, x in enumerate(sounds)]
    began = time.process_time()
    heard = transcribe_all(EmbeddedRecognizer(folder), lined)
    spent = time.process_time() - began
    pairs = [(letters(row.text), text) for (_, row), text in zip(spoken, heard, strict=True)]
    errors = sum(edit_distance(text, meant) for meant, text in pairs)
    cer = 100 * errors / sum(len(meant) for meant, _ in pairs)
    exact = 100 * sum(meant == text for meant, text in pairs) / count
    good, said = (sum(column) for column in zip(*(right(meant, text) for meant, text in pairs), strict=True))
    rtf = spent / (sum(map(len, lined)) / RATE)
    goal = GOALS.get((wording, voices, line), 0.0)
    figured = round(100 * good / max(said, 1), 1)
    return Result(wording, voices, line, count, round(cer, 1), round(exact, 1), figured, round(rtf, 4), goal), pairs


def _draws(wording: str, count: int, seed: int) -> list[tuple[random.Random, str]]:
    rng = random.Random(f"{seed} {wording}")
    return [(rng, WORDINGS[wording](rng)) for _ in range(count)]


def transcribe_all(recognizer: EmbeddedRecognizer, sounds: Sequence[Floats]) -> list[str]:
    """Streams all sounds, twenty at a time."""
    texts_heard = []
    for first in range(0, len(sounds), _TOGETHER):
        group = sounds[first : first + _TOGETHER]
        pcm = [(np.clip(x, -1, 1) * 32767).astype("<i2").tobytes() for x in group]
        streams = [recognizer.open() for _ in group]
        for at in range(0, max(map(len, pcm)), 320):
            for stream, sound in zip(streams, pcm, strict=True):
                stream.accept(sound[at : at + 320])
            recognizer.decode(streams)
        texts_heard += [stream.finish().text for stream in streams]
    return texts_heard


def _printed(row: Result) -> str:
    goal = f"{'>=' if row.wording == 'figures' else '<='}{row.goal:4.0f}" if row.goal else "     -"
    return (
        f"{row.wording:8} {row.voices:9} {row.line:6} {row.cer:6.1f} {row.exact:8.1f} {row.figures:10.1f}"
        f" {row.rtf:7.4f} {goal:>6}  {row.met}"
    )


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Evaluate the embedded recogniser")
    parser.add_argument("--count", type=int, default=200, help="utterances per row")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--models", type=Path, default=models_dir())
    parser.add_argument("--json", type=Path, help="also write the rows here")
    parser.add_argument("--examples", type=int, default=0, help="show so many wrong transcripts per row")
    given: Any = parser.parse_args(argv)
    rows = []
    print("wording  voices    line    CER %  exact %  figures %     rtf   goal  met")
    for wording in WORDINGS:
        for voices in VOICES:
            for line in LINES:
                row, pairs = evaluate(given.models, wording, voices, line, given.count, given.seed)
                rows.append(asdict(row))
                print(_printed(row), flush=True)
                for meant, heard in [pair for pair in pairs if pair[0] != pair[1]][: given.examples]:
                    print(f"    {meant} -> {heard}")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
