"""What a line can sound like, as floats at 8 kHz: tones and their cadences, faxes, beeps, music, streets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import signal

RATE = 8000
Floats = NDArray[np.float32]


def silence(seconds: float) -> Floats:
    return np.zeros(int(seconds * RATE), np.float32)


def tone(hertz: float, seconds: float, level: float = 0.2) -> Floats:
    at = np.arange(int(seconds * RATE)) / RATE
    return np.asarray(level * np.sin(2 * np.pi * hertz * at), np.float32)


def rhythm(hertz: float, steps: Sequence[float], seconds: float, level: float = 0.2) -> Floats:
    """On, off, on, off … seconds, again and again."""
    parts: list[Floats] = []
    while sum(map(len, parts)) < seconds * RATE:
        parts += [tone(hertz, step, level) if i % 2 == 0 else silence(step) for i, step in enumerate(steps)]
    return np.concatenate(parts)


def information() -> Floats:
    """The special information tone: three rising tones."""
    return np.concatenate([tone(hertz, 0.33) for hertz in (950, 1400, 1800)])


def fax(rng: Generator) -> Floats:
    """A fax that answers, with or without the phase reversals of a modem; or one that calls."""
    kind = rng.integers(0, 3)
    if kind == 0:
        return np.concatenate([silence(rng.uniform(0.2, 1.5)), tone(2100, 3.0), silence(0.5)])
    if kind == 1:
        parts = [tone(2100, 0.45) * (-1) ** i for i in range(7)]
        wobble = 1 + 0.2 * np.sin(2 * np.pi * 15 * np.arange(int(0.45 * RATE) * 7) / RATE)
        return np.concatenate([silence(rng.uniform(0.2, 1.5)), np.asarray(np.concatenate(parts) * wobble, np.float32)])
    return np.concatenate([silence(rng.uniform(0.2, 1.5)), rhythm(1100, (0.5, 3.0), 7)])


def music(seconds: float, rng: Generator) -> Floats:
    """A tune of plucked or held notes over a chord, now and then with a beat."""
    length = int(seconds * RATE)
    out = np.zeros(length, np.float32)
    beat, root, held = rng.uniform(0.25, 0.5), rng.uniform(180, 330), rng.random() < 0.5
    for start in range(0, length, int(beat * RATE)):
        for voice in range(3):
            step = int(rng.choice([0, 2, 4, 5, 7, 9, 12])) + (0 if voice else 12)
            _strike(out, start, root * 2 ** (step / 12), beat * (1.5 if held else 3), held, rng)
    if rng.random() < 0.4:
        for start in range(0, length, int(2 * beat * RATE)):
            burst = rng.standard_normal(min(400, length - start)) * np.exp(-np.arange(min(400, length - start)) / 80)
            out[start : start + 400] += np.float32(0.6) * burst.astype(np.float32)
    return np.asarray(out * 0.25 / (np.abs(out).max() + 1e-6), np.float32)


def _strike(out: Floats, start: int, hertz: float, seconds: float, held: bool, rng: Generator) -> None:
    at = np.arange(min(int(seconds * RATE), len(out) - start)) / RATE
    wave = sum(np.sin(2 * np.pi * hertz * k * at) / k ** rng.uniform(1, 2) for k in range(1, 6) if hertz * k < 3600)
    envelope = np.minimum(1, at / 0.02) * (1.0 if held else np.exp(-at / 0.4))
    out[start : start + len(at)] += np.asarray(wave * envelope, np.float32)


def street(seconds: float, rng: Generator) -> Floats:
    """Traffic: deep coloured noise that swells."""
    white = rng.standard_normal(int(seconds * RATE))
    deep = signal.lfilter([1], [1, -rng.uniform(0.85, 0.97)], white)
    swell = 1 + 0.6 * np.sin(2 * np.pi * rng.uniform(0.1, 0.4) * np.arange(len(deep)) / RATE)
    return np.asarray(deep * swell / np.abs(deep).max(), np.float32)
