"""The calls of the benchmark: who answers, with what words and sounds, over what line. All drawn from one seed."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from benchmarks.answer import sounds
from benchmarks.answer.sounds import RATE, Floats
from voicebot.asr.training import augment
from voicebot.tts.synthesizer import load_synthesizer
from voicebot.tts.voices import HELD_OUT, SEEN, VoiceSpec

SETS = ("known", "apart")
SHARES = {
    "person": 0.42, "announcement": 0.16, "voicemail": 0.1, "assistant": 0.1,
    "ringback": 0.05, "music": 0.06, "tone": 0.06, "fax": 0.05,
}  # fmt: skip
LINES = ("quiet", "street", "television", "loss")


@dataclass(frozen=True, slots=True)
class Case:
    """`pcm`: s16le 8 kHz as it reaches us. `answered`: it sounds after the answer, else before it.
    `first_ms`: when the other end makes its first sound."""

    kind: str
    cue: str
    wordings: str
    line: str
    answered: bool
    text: str
    first_ms: int
    pcm: bytes


def draw(count: int, wordings: str, seed: int) -> list[Case]:
    """So many calls with `wordings` known or apart, in the proportions of SHARES."""
    rng = np.random.default_rng([seed, SETS.index(wordings)])
    kinds = [kind for kind, share in SHARES.items() for _ in range(round(share * count))]
    return [_case(kind, wordings, number, rng) for number, kind in enumerate(kinds)]


def _case(kind: str, wordings: str, number: int, rng: Generator) -> Case:
    cue, text, answered, heard = _MAKERS[kind](wordings, rng)
    line = LINES[number % len(LINES)] if kind in ("person", "voicemail", "assistant") else LINES[number % 2 * 3]
    loud = np.flatnonzero(np.abs(heard) > 0.01)
    return Case(
        kind, cue, wordings, line, answered, text, int(loud[0]) * 1000 // RATE, _over(line, heard, wordings, rng)
    )


def _person(wordings: str, rng: Generator) -> tuple[str, str, bool, Floats]:
    text = str(rng.choice(_wordings()["person"][wordings]))
    before = rng.uniform(1.5, 3.5) if rng.random() < 0.15 else rng.uniform(0.1, 1.0)
    return "", text, True, np.concatenate([sounds.silence(before), _say(text, wordings, rng), sounds.silence(2.0)])


def _announcement(wordings: str, rng: Generator) -> tuple[str, str, bool, Floats]:
    cues = _wordings()["announcement"]
    cue = str(rng.choice(sorted(cues)))
    text = str(rng.choice(cues[cue][wordings]))
    parts = [sounds.silence(rng.uniform(0.1, 1.0)), _say(text, wordings, rng), sounds.silence(1.5)]
    if rng.random() < 0.3:
        parts.insert(1, sounds.information())
    return cue, text, bool(rng.random() < 0.3), np.concatenate(parts)


def _voicemail(wordings: str, rng: Generator) -> tuple[str, str, bool, Floats]:
    text = str(rng.choice(_wordings()["voicemail"][wordings]))
    beep = sounds.tone(rng.uniform(800, 1400), rng.uniform(0.2, 0.8))
    parts = [sounds.silence(rng.uniform(0.2, 1.2)), _say(text, wordings, rng), sounds.silence(rng.uniform(0.3, 1.0))]
    return "", text, True, np.concatenate([*parts, beep, sounds.silence(1.5)])


def _assistant(wordings: str, rng: Generator) -> tuple[str, str, bool, Floats]:
    text = str(rng.choice(_wordings()["assistant"][wordings]))
    parts = [sounds.silence(rng.uniform(0.2, 1.2)), _say(text, wordings, rng), sounds.silence(2.0)]
    return "", text, True, np.concatenate(parts)


def _ringback(_: str, rng: Generator) -> tuple[str, str, bool, Floats]:
    hertz = rng.uniform(440, 460)
    sound = sounds.rhythm(hertz, (1.0, 4.0), 11, rng.uniform(0.03, 0.3))
    return "ringback", "", False, np.concatenate([sounds.silence(rng.uniform(0, 1)), sound])


def _music(_: str, rng: Generator) -> tuple[str, str, bool, Floats]:
    return "music", "", bool(rng.random() < 0.4), sounds.music(7, rng)


def _tone(_: str, rng: Generator) -> tuple[str, str, bool, Floats]:
    steps = {
        "busy_tone": (0.35, 0.35),
        "congestion_tone": (0.7, 0.7),
        "vacant_tone": (0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.4, 0.4),
    }
    cue = str(rng.choice(list(steps)))
    sound = sounds.rhythm(rng.uniform(440, 460), steps[cue], 6, rng.uniform(0.03, 0.3))
    return cue, "", bool(rng.random() < 0.5), np.concatenate([sounds.silence(rng.uniform(0, 1)), sound])


def _fax(_: str, rng: Generator) -> tuple[str, str, bool, Floats]:
    return "fax", "", True, sounds.fax(rng)


_MAKERS: dict[str, Callable[[str, Generator], tuple[str, str, bool, Floats]]] = {
    "person": _person,
    "announcement": _announcement,
    "voicemail": _voicemail,
    "assistant": _assistant,
    "ringback": _ringback,
    "music": _music,
    "tone": _tone,
    "fax": _fax,
}


def _say(text: str, wordings: str, rng: Generator) -> Floats:
    """Half the voices were never in any training; wordings apart are said by those alone."""
    variants = HELD_OUT if wordings == "apart" or rng.random() < 0.5 else SEEN
    voice = VoiceSpec(
        str(rng.choice(variants)), int(rng.integers(140, 240)), int(rng.integers(30, 75)), int(rng.integers(40, 75))
    )
    pcm = load_synthesizer().synthesize(text, voice)
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)


def _over(line: str, heard: Floats, wordings: str, rng: Generator) -> bytes:
    """The telephone line: 300–3400 Hz, a level, A-law; behind the voice a street or a television, or lost packets."""
    samples = heard
    if line == "street":
        samples = augment.mix(samples, sounds.street(len(samples) / RATE, rng)[: len(samples)], rng.uniform(10, 25))
    elif line == "television":
        talk = _say("各位观众晚上好，今天全国大部分地区天气晴朗，气温有所回升，请注意防火。", wordings, rng)
        behind = augment.babble(len(samples), rng, [talk, sounds.music(3, rng)])
        samples = augment.mix(samples, behind, rng.uniform(12, 22))
    samples = augment.set_peak(augment.band_limit(samples, 300, 3400), rng.uniform(-18, -4))
    if line == "loss":
        samples = augment.lose_packets(samples, rng, 0.02)
    return np.asarray(augment.g711(samples, "a") * 32767, "<i2").tobytes()


@cache
def _wordings() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("wordings.toml").read_text(encoding="utf-8"))
