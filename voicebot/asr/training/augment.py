"""The telephone around a speaker: room, noise, band limits, level, lost packets, G.711."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import signal

from voicebot.asr.features import RATE

Floats = NDArray[np.float32]
_LOW_CUTS, _HIGH_CUTS = (80, 150, 220, 300), (3100, 3300, 3500, 3800)
_PACKET = RATE // 50


@dataclass(frozen=True, slots=True)
class Heard:
    """An utterance after the line: float32 samples, and how its times moved: `t * stretch + lead_s`."""

    samples: Floats
    stretch: float
    lead_s: float


@cache
def _companding(law: str) -> Floats:
    """What a 16-bit sample becomes after G.711 (continuous-law form of ITU-T G.711, 7-bit magnitude)."""
    x = np.arange(-32768, 32768) / 32768
    sign, size = np.sign(x), np.abs(x)
    if law == "mu":
        coded = np.round(np.log1p(255 * size) / np.log(256) * 127) / 127
        return np.asarray(sign * np.expm1(coded * np.log(256)) / 255, np.float32)
    scale = 1 + np.log(87.6)
    curve = np.where(size < 1 / 87.6, 87.6 * size, 1 + np.log(np.maximum(87.6 * size, 1e-9))) / scale
    coded = np.round(curve * 127) / 127 * scale
    return np.asarray(sign * np.where(coded < 1, coded / 87.6, np.exp(coded - 1) / 87.6), np.float32)


def g711(samples: Floats, law: str) -> Floats:
    """Through one G.711 coder, law `mu` or `a`."""
    pcm = np.clip(samples * 32768, -32768, 32767).astype(np.int32)
    return _companding(law)[pcm + 32768]


@cache
def _band_filter(low: int, high: int) -> NDArray[np.float64]:
    return np.asarray(signal.butter(2, [low, high], "bandpass", fs=RATE, output="sos"))


def band_limit(samples: Floats, low: int, high: int) -> Floats:
    return np.asarray(signal.sosfilt(_band_filter(low, high), samples), np.float32)


def reverberate(samples: Floats, rng: Generator, decay_s: tuple[float, float] = (0.1, 0.5)) -> Floats:
    """A synthetic room: exponentially decaying noise after the direct sound."""
    length = int(rng.uniform(*decay_s) * RATE)
    room = rng.standard_normal(length, dtype=np.float32) * np.exp(-6.9 * np.arange(length, dtype=np.float32) / length)
    room[:16] = 0
    room *= rng.uniform(0.1, 0.6) / np.sqrt((room**2).sum() + 1e-9)
    room[0] = 1
    return np.asarray(signal.oaconvolve(samples, room)[: len(samples)], np.float32)


def rms(samples: Floats) -> float:
    return float(np.sqrt(np.mean(samples**2) + 1e-9))


def mix(samples: Floats, noise: Floats, snr_db: float) -> Floats:
    return samples + noise * np.float32(rms(samples) / rms(noise) * 10 ** (-snr_db / 20))


def background(length: int, rng: Generator) -> Floats:
    """White, coloured or humming noise."""
    kind = rng.integers(0, 5)
    white = rng.standard_normal(length, dtype=np.float32)
    if kind == 0:
        return white
    if kind <= 2:
        return np.asarray(signal.lfilter([1], [1, -rng.uniform(0.8, 0.98)], white), np.float32)
    tone = 2 * np.pi * rng.choice([50, 100, 120, 400, 1000]) * np.arange(length) / RATE
    return np.asarray(np.sin(tone) + 0.5 * np.sin(2 * tone) + 0.3 * white, np.float32)


def babble(length: int, rng: Generator, others: Sequence[Floats]) -> Floats:
    """Other people who talk all the time."""
    voices = [np.roll(np.resize(other, length), int(rng.integers(0, length))) for other in others]
    return np.asarray(np.sum(voices, axis=0), np.float32)


def lose_packets(samples: Floats, rng: Generator, share: float) -> Floats:
    """Loses 20 ms packets: silent, or the packet before repeated softer."""
    out = samples.copy()
    for at in np.flatnonzero(rng.random(len(samples) // _PACKET) < share) * _PACKET:
        repeated = at >= _PACKET and rng.random() < 0.5
        out[at : at + _PACKET] = out[at - _PACKET : at] * np.float32(0.7) if repeated else 0
    return out


def set_peak(samples: Floats, dbfs: float) -> Floats:
    return samples * np.float32(10 ** (dbfs / 20) / (np.abs(samples).max() + 1e-6))


@dataclass(frozen=True, slots=True)
class Hardship:
    """How often a call is changed in tempo, echoes, has noise, has talkers in that noise, and loses packets."""

    tempo: float
    room: float
    noise: float
    talkers: float
    loss: float


USUAL = Hardship(tempo=0.3, room=0.3, noise=0.55, talkers=0.1, loss=0.2)
ROUGH = Hardship(tempo=0.5, room=0.5, noise=0.75, talkers=0.6, loss=0.45)


def telephone(
    speech: Floats, rng: Generator, others: Callable[[], Sequence[Floats]], hardship: Hardship = USUAL
) -> Heard:
    """A random call for training; `others` fetches talkers for babble."""
    stretch, samples = 1.0, speech
    if rng.random() < hardship.tempo:
        tempo = rng.uniform(0.88, 1.12)
        length = int(len(speech) / tempo)
        samples = np.interp(np.arange(length) * tempo, np.arange(len(speech)), speech).astype(np.float32)
        stretch = 1 / tempo
    lead, tail = int(rng.uniform(0.02, 0.5) * RATE), int(rng.uniform(0.3, 0.6) * RATE)
    samples = np.pad(samples, (lead, tail))
    if rng.random() < hardship.room:
        samples = reverberate(samples, rng)
    if rng.random() < hardship.noise:
        talking = rng.random() < hardship.talkers
        noise = babble(len(samples), rng, others()) if talking else background(len(samples), rng)
        samples = mix(samples, noise, rng.uniform(5, 25 if talking else 30))
    if rng.random() < 0.7:
        samples = band_limit(samples, int(rng.choice(_LOW_CUTS)), int(rng.choice(_HIGH_CUTS)))
    samples = set_peak(samples, rng.uniform(-26, 1))
    if rng.random() < hardship.loss:
        samples = lose_packets(samples, rng, rng.uniform(0.005, 0.05))
    law = rng.choice(["mu", "a", ""], p=[0.4, 0.5, 0.1])
    return Heard(g711(samples, law) if law else np.clip(samples, -1, 1), stretch, lead / RATE)
