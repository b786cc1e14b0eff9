"""Speaks training texts with espeak-ng: shards of 8 kHz audio with the time of every syllable.

A shard is `NAME.i16` (int16 mono 8 kHz, utterances end to end) and `NAME.jsonl`, one row per utterance:
`{"text", "syllables", "spans": [[start_ms, end_ms] per syllable], "variant", "at": first sample, "samples"}`.
"""

import argparse
import json
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from voicebot.asr.features import RATE
from voicebot.asr.training import texts
from voicebot.mandarin.pinyin import Word, read, sandhi_across
from voicebot.tts.espeak import Speech, engine, tokens_of
from voicebot.tts.voices import SEEN, VoiceSpec

SHARD_UTTERANCES = 3000


def training_folder() -> Path:
    """Where shards and checkpoints live: VOICEBOT_TRAIN_DIR or ~/.cache/voicebot-train."""
    return Path(os.environ.get("VOICEBOT_TRAIN_DIR") or Path.home() / ".cache" / "voicebot-train")


@dataclass(frozen=True, slots=True)
class Utterance:
    """A row of a shard; times in milliseconds from the utterance's first sample."""

    text: str
    syllables: list[str]
    spans: list[tuple[int, int]]
    variant: str
    at: int = 0
    samples: int = 0


def random_voice(rng: random.Random, variants: Sequence[str]) -> VoiceSpec:
    """A caller: any variant, tempo 120-250 words per minute, pitch 25-80, tone range 35-75."""
    return VoiceSpec(rng.choice(variants), rng.randint(120, 250), rng.randint(25, 80), rng.randint(35, 75))


def speak(text: str, rng: random.Random, variants: Sequence[str]) -> tuple[NDArray[np.int16], Utterance]:
    """Says a text as a random caller: int16 at 8 kHz and its row."""
    words = read(text)
    words = sandhi_across(words, [rng.random() < 0.35 for _ in words])
    voice = random_voice(rng, variants)
    joined = rng.random() < 0.65
    speech = engine().speak(words, voice, joined=joined, word_gap=rng.choice([0, 0, 0, 1, 2]))
    pcm = np.asarray(soxr.resample(speech.pcm.astype(np.float32), speech.rate, RATE))
    peak = float(np.abs(pcm).max(initial=1))
    pcm = (pcm * min(1.0, 24000 / peak)).astype(np.int16)
    syllables = [s for word in words for s in word.syllables]
    hanzi = "".join(word.hanzi for word in words)
    return pcm, Utterance(hanzi, syllables, _spans(speech, words, joined), voice.variant)


def _spans(speech: Speech, words: Sequence[Word], joined: bool) -> list[tuple[int, int]]:
    """When each syllable sounds; empty when espeak-ng's events do not match the words."""
    counts, paused = [], []
    for word in words:
        tokens = len(tokens_of(word, joined))
        counts += [len(word.syllables)] if tokens == 1 else [1] * tokens
        paused += [False] * (tokens - 1) + [bool(word.pause)]
    if len(speech.starts_ms) != len(counts):
        return []
    spans: list[tuple[int, int]] = []
    ends = [*speech.starts_ms[1:], len(speech.pcm) * 1000 // speech.rate]
    paused[-1] = True
    for start, end, count, pause in zip(speech.starts_ms, ends, counts, paused, strict=True):
        stop = max(start + 50 * count, _last_sound(speech, start, end) if pause else end)
        edges = [start + (stop - start) * i // count for i in range(count + 1)]
        spans += pairwise(edges)
    return spans


def _last_sound(speech: Speech, start_ms: int, end_ms: int) -> int:
    piece = speech.pcm[start_ms * speech.rate // 1000 : end_ms * speech.rate // 1000]
    loud = np.flatnonzero(np.abs(piece) > 300)
    return start_ms + (int(loud[-1]) * 1000 // speech.rate if len(loud) else 0)


def generate(
    folder: Path,
    name: str,
    count: int,
    seed: int,
    say: Callable[[random.Random], str],
    variants: Sequence[str],
) -> float:
    """Writes one shard (complete or not at all) and returns its hours of speech. Same seed, same texts and voices."""
    rng, asked_by = random.Random(seed), os.getppid()
    folder.mkdir(parents=True, exist_ok=True)
    audio, at = folder / f"{name}.i16.part", 0
    rows: list[str] = []
    with audio.open("wb") as out:
        while len(rows) < count:
            if os.getppid() != asked_by:
                raise SystemExit("whoever asked for this speech is gone")  # its successor writes the same files
            pcm, row = speak(say(rng), rng, variants)
            if not row.spans or len(row.spans) != len(row.syllables):
                continue
            out.write(pcm.tobytes())
            rows.append(json.dumps({**asdict(row), "at": at, "samples": len(pcm)}, ensure_ascii=False))
            at += len(pcm)
    audio.rename(folder / f"{name}.i16")
    part = folder / f"{name}.jsonl.part"
    part.write_text("\n".join(rows) + "\n", "utf-8")
    part.rename(folder / f"{name}.jsonl")
    return at / RATE / 3600


def load(folder: Path, name: str) -> tuple[list[Utterance], NDArray[np.int16]]:
    """A shard's rows and its audio (memory-mapped)."""
    lines = (folder / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [Utterance(**json.loads(line)) for line in lines], np.memmap(folder / f"{name}.i16", np.int16, "r")


def samples(pcm: NDArray[np.int16], row: Utterance) -> NDArray[np.float32]:
    """One utterance of a shard, float32 in [-1, 1]."""
    return pcm[row.at : row.at + row.samples].astype(np.float32) / np.float32(32768)


def shards(folder: Path) -> Iterator[str]:
    """Names of the complete training shards, in order."""
    yield from (path.stem for path in sorted(folder.glob("train-*.jsonl")))


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Speak the training shards")
    parser.add_argument("--shards", type=int, default=26)
    parser.add_argument("--utterances", type=int, default=SHARD_UTTERANCES)
    parser.add_argument("--seed", type=int, default=2026)
    given: Any = parser.parse_args(argv)
    folder = training_folder()
    for number in range(given.shards):
        if (folder / f"train-{number:03d}.jsonl").exists():
            continue
        started = time.monotonic()
        hours = generate(folder, f"train-{number:03d}", given.utterances, given.seed + number, texts.draw, SEEN)
        print(f"train-{number:03d}: {hours:.2f} h in {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
