"""Sounds for the tests of this folder, as s16le at 8 kHz."""

import functools
import wave
from pathlib import Path

import numpy as np

from voicebot.audio.frames import RATE
from voicebot.tts.synthesizer import load_synthesizer


def silence(milliseconds: int) -> bytes:
    return bytes(2 * RATE * milliseconds // 1000)


def tone(hertz: float, milliseconds: int, level_dbfs: float = -20.0) -> bytes:
    at = np.arange(RATE * milliseconds // 1000) / RATE
    return (32768 * 10 ** (level_dbfs / 20) * np.sqrt(2) * np.sin(2 * np.pi * hertz * at)).astype("<i2").tobytes()


def noise(milliseconds: int, level_dbfs: float, seed: int = 1) -> bytes:
    samples = np.random.default_rng(seed).normal(0, 32768 * 10 ** (level_dbfs / 20), RATE * milliseconds // 1000)
    return samples.clip(-32768, 32767).astype("<i2").tobytes()


def vowel(hertz: float, milliseconds: int) -> bytes:
    """A voiced sound: harmonics of the pitch that fall with frequency."""
    at = np.arange(RATE * milliseconds // 1000) / RATE
    wave = sum(np.sin(2 * np.pi * hertz * overtone * at) / overtone for overtone in range(1, 12))
    return (4000 * wave).astype("<i2").tobytes()


def mix(*sounds: bytes) -> bytes:
    length = max(map(len, sounds))
    total = sum(np.frombuffer(each.ljust(length, b"\0"), "<i2").astype(np.int32) for each in sounds)
    return np.clip(total, -32768, 32767).astype("<i2").tobytes()


@functools.cache
def speech(text: str) -> bytes:
    return load_synthesizer().synthesize(text)


def recorded(name: str) -> bytes:
    """A sound of the folder `data`, the same in every run (the voice is never twice the same)."""
    with wave.open(str(Path(__file__).parent / "data" / f"{name}.wav")) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (RATE, 1, 2)
        return sound.readframes(sound.getnframes())
