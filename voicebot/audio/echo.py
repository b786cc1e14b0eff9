"""EchoGuard: takes our own voice out of what comes back from a caller's loudspeaker, and leaves the caller in it.

A Kalman filter in the frequency domain (Enzner and Vary, 2006), in partitions of one frame, learns how the line echoes.
It knows how unsure it is: what may still be echo is silenced, so that a call is right from its first word on. A caller
who talks over us is louder than that and passes.
"""

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voicebot.audio.frames import FRAME_SAMPLES, SILENCE

PARTS: Final = 16
"""Frames of echo that are known: 320 ms from our sound to its last echo."""
_IN_TURN: Final = 4
_BINS: Final = FRAME_SAMPLES + 1
_KEEPS: Final = np.float32(0.9995**2)
"""How much of the echo path stays as it was, per frame."""
_UNKNOWN: Final = 0.02
"""Variance of each part of an echo path that nothing is known of: echo may be 8 dB below our voice."""
_LEAST: Final = np.float32(2e-4)
"""Variance that stays, so that a telephone put on loudspeaker in the middle of a call is noticed."""
_SMOOTH: Final = np.float32(0.8)
_DOUBT: Final = 4.0
"""What is not this much stronger than the echo that may be left counts as echo."""
_MISSED: Final = np.float32(0.1)
"""Share of the echo (power) that the filter misses: rooms move, and loudspeakers bend what they play."""
_HEARD: Final = 0.003
"""Power of a path above which a line echoes (-25 dB); the noise of a line without echo makes -27 dB of it at most."""
_MUFFLED: Final = np.float32(0.03)
_HOLD: Final = 2
"""Frames after the last sure one that pass too."""
_QUIET: Final = np.float32(0.0015)
"""RMS below which a frame holds neither echo nor speech (-56 dBFS)."""
_QUIET_ENERGY: Final = float(_QUIET) ** 2 * FRAME_SAMPLES
_CALM: Final = np.float32(0.9)
"""How the variance shrinks by a frame in which we spoke and nothing came back."""
_CALM_AFTER: Final = 60
"""So many of those, and the variance is at its least."""

Floats = NDArray[np.float32]
Complexes = NDArray[np.complex64]
_HISS: Final = np.random.default_rng(1).normal(0, 0.0012, (61, FRAME_SAMPLES)).astype(np.float32)
"""-58 dBFS, less than what counts as sound."""
_NO_HISS: Final = np.zeros(FRAME_SAMPLES, np.float32)


class EchoPath:
    """What is known of one call's echo."""

    __slots__ = ("calm", "error_power", "filled", "held", "last", "sent", "silent", "variance", "waiting",
                 "weights")

    def __init__(self) -> None:
        self.sent: Complexes = np.zeros((PARTS, _BINS), np.complex64)
        self.weights: Complexes = np.zeros((PARTS, _BINS), np.complex64)
        self.variance: Floats = np.full((PARTS, _BINS), _UNKNOWN, np.float32)
        self.error_power: Floats | None = None
        self.last = SILENCE
        self.waiting: list[bytes] = []
        """What we sent since `sent` was brought up to date: nobody needs its spectra while nothing comes back."""
        self.calm = 0
        self.filled = 0
        self.silent = PARTS
        self.held = 0

    @property
    def echoes(self) -> bool:
        """Whether our voice is known to come back on this line."""
        return float(_power(self.weights).sum()) / _BINS > _HEARD


class EchoGuard:
    """For all calls of a process, in one batch."""

    def __init__(self) -> None:
        self._turn = 0

    def process(self, frames: Sequence[tuple[EchoPath, bytes, bytes]]) -> list[bytes]:
        """Take 20 ms (320 bytes) of each call: its path, what was received, what we sent meanwhile; what the caller
        said comes back. Calls to which nothing was sent lately cost nothing."""
        result = [heard for _, heard, _ in frames]
        work: list[int] = []
        for index, (path, heard, sent) in enumerate(frames):
            if _idle(path, sent):
                continue
            _remember(path, sent)
            if _is_quiet(heard):
                _calm_down(path)
            else:
                path.calm = 0
                work.append(index)
        if work:
            _catch_up([frames[index][0] for index in work])
            received = [_samples(frames[index][1]) for index in work]
            cleaned = _clean([frames[index][0] for index in work], received, self._turn)
            self._turn = (self._turn + 1) % _IN_TURN
            for index, samples in zip(work, (cleaned * 32768).clip(-32768, 32767).astype("<i2"), strict=True):
                result[index] = samples.tobytes()
        return result


def _idle(path: EchoPath, sent: bytes) -> bool:
    """True when nothing that we sent can still come back."""
    path.silent = path.silent + 1 if sent == SILENCE else 0
    return path.silent > PARTS


def _remember(path: EchoPath, sent: bytes) -> None:
    path.waiting.append(sent)
    if len(path.waiting) > PARTS:
        path.last = path.waiting.pop(0)


def _is_quiet(received: bytes) -> bool:
    if received == SILENCE:
        return True
    samples = _samples(received)
    return float(np.dot(samples, samples)) < _QUIET_ENERGY


def _calm_down(path: EchoPath) -> None:
    """We spoke and nothing came back: the path is surer than before."""
    if path.calm < _CALM_AFTER:
        path.calm += 1
        np.maximum(path.variance * _CALM, _LEAST, out=path.variance)


def _catch_up(paths: Sequence[EchoPath]) -> None:
    """The spectra of what waits, newest first; of all calls in one go."""
    pairs = [pair for path in paths for pair in pairwise((path.last, *path.waiting))]
    sound = _samples(b"".join(chain.from_iterable(pairs))).reshape(-1, 2 * FRAME_SAMPLES)
    spectra = np.fft.rfft(sound, axis=1)
    first = 0
    for path in paths:
        count = len(path.waiting)
        path.sent[count:] = path.sent[: PARTS - count].copy()
        path.sent[:count] = spectra[first : first + count][::-1]
        first += count
        path.last = path.waiting[-1]
        path.waiting.clear()


def _clean(paths: Sequence[EchoPath], received: Sequence[Floats], turn: int) -> Floats:
    """Subtract the echo, learn from what is left, and muffle what may be no more than echo. `turn`: which parts of the
    filters are kept causal this time; that costs most, and suffices in turn."""
    sent, weights = np.stack([p.sent for p in paths]), np.stack([p.weights for p in paths])
    variance = np.stack([p.variance for p in paths])
    echo = np.fft.irfft(np.einsum("npf,npf->nf", weights, sent), axis=1)[:, FRAME_SAMPLES:]
    left = np.stack(received) - echo
    spectrum = np.asarray(np.fft.rfft(np.concatenate([np.zeros_like(left), left], axis=1)), np.complex64)
    power = _power(spectrum)
    noise = np.stack([_smoothed(path, now) for path, now in zip(paths, power, strict=True)])
    strength = _power(sent)
    unsure = 0.5 * np.einsum("npf,npf->nf", strength, variance)
    gain = variance / (unsure + noise + np.float32(1e-6))[:, None]
    weights += gain * np.conj(sent) * spectrum[:, None]
    weights[:, turn::_IN_TURN] = _causal(weights[:, turn::_IN_TURN])
    variance = _KEEPS * (1 - np.float32(0.5) * gain * strength) * variance + (1 - _KEEPS) * _power(weights)
    for path, now, spread in zip(paths, weights, np.maximum(variance, _LEAST), strict=True):
        path.weights, path.variance = now, spread
    doubtful = unsure.sum(axis=1) + _MISSED * FRAME_SAMPLES * np.einsum("nt,nt->n", echo, echo)
    sure = power.sum(axis=1) > _DOUBT * doubtful
    loudness = np.array([[_loudness(path, bool(one))] for path, one in zip(paths, sure, strict=True)], np.float32)
    return np.asarray(left * loudness + np.stack([_comfort(path) for path in paths]), np.float32)


def _comfort(path: EchoPath) -> Floats:
    """The hiss of a line where a frame was muffled: voice activity takes long to hear who speaks out of a dead one."""
    if path.held:
        return _NO_HISS
    path.filled += 1
    return np.asarray(_HISS[path.filled % len(_HISS)])


def _smoothed(path: EchoPath, power: Floats) -> Floats:
    before = power if path.error_power is None else path.error_power
    path.error_power = smoothed = np.asarray(_SMOOTH * before + (1 - _SMOOTH) * power, np.float32)
    return smoothed


def _causal(change: Complexes) -> Complexes:
    """Of a change of the filter the half that looks back in time."""
    taps = np.fft.irfft(change, axis=2)
    taps[:, :, FRAME_SAMPLES:] = 0
    return np.asarray(np.fft.rfft(taps, axis=2), np.complex64)


def _loudness(path: EchoPath, sure: bool) -> np.float32:
    path.held = _HOLD if sure else max(0, path.held - 1)
    return np.float32(1) if path.held else _MUFFLED


def _power(values: Complexes) -> Floats:
    return np.asarray(values.real**2 + values.imag**2, np.float32)


def _samples(pcm: bytes) -> Floats:
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
