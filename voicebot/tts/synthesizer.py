"""The seam to speech synthesis, and the embedded engine behind it: text in, telephone PCM out."""

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import soxr
from numpy.typing import NDArray

from voicebot import __version__
from voicebot.config import pulled_models_dir
from voicebot.mandarin.aloud import spoken
from voicebot.mandarin.pinyin import read
from voicebot.tts.espeak import Espeak, engine
from voicebot.tts.voices import VoiceSpec, parse_voice

RATE = 8000
_PEAK = 0.95
_SPEECH_FLOOR = 0.02  # of the peak: quieter 20 ms pieces are pauses and do not count for the level


class Synthesizer(Protocol):
    """Speaks Mandarin. Thread-safe."""

    @property
    def name(self) -> str:
        """The engine, as VOICEBOT_SYNTHESIZER names it; `started` in the journal tells it."""

    def synthesize(self, text: str, voice: str | VoiceSpec | None = None, rate: int | None = None) -> bytes:
        """s16le mono 8 kHz; figures and letters are read aloud, text without words gives b"".

        `voice` is a variant (`f3`), a setting (`m4:rate=150,pitch=40`) or a VoiceSpec; `rate` in words per minute.
        Raises ValueError for a voice that does not exist.
        """


@runtime_checkable
class FromFiles(Protocol):
    """A synthesizer that says the same text otherwise once its files, or this release, are replaced by others."""

    @property
    def edition(self) -> str:
        """Changes when they do: sound that was kept of another edition is not its own any more."""


class EspeakSynthesizer:
    """espeak-ng behind the seam: about 200 times faster than real time on one core."""

    name = "embedded"
    edition = __version__

    def __init__(self, espeak: Espeak | None = None) -> None:
        self._espeak = espeak or engine()

    def synthesize(self, text: str, voice: str | VoiceSpec | None = None, rate: int | None = None) -> bytes:
        spec = parse_voice(voice, rate)
        words = read(spoken(text))
        if not words:
            return b""
        speech = self._espeak.speak(words, spec)
        samples = np.asarray(soxr.resample(speech.pcm.astype(np.float32) / 32768, speech.rate, RATE), np.float32)
        return (level(samples, spec.level_dbfs) * 32767).astype("<i2").tobytes()


def level(samples: NDArray[np.float32], dbfs: float) -> NDArray[np.float32]:
    """Brings speech in [-1, 1] to an RMS level, pauses not counted; peaks are bent, not cut."""
    pieces = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    power = np.mean(pieces**2, axis=1) if len(pieces) else np.mean(samples**2, keepdims=True)
    loud = power[power > (power.max(initial=0.0) * _SPEECH_FLOOR)]
    if not len(loud) or not loud.mean():
        return samples
    scaled = samples * np.float32(10 ** (dbfs / 20) / np.sqrt(loud.mean()))
    knee = 0.7 * _PEAK
    over = np.abs(scaled) > knee
    bent = knee + (_PEAK - knee) * np.tanh((np.abs(scaled) - knee) / (_PEAK - knee))
    return np.where(over, np.sign(scaled) * bent, scaled).astype(np.float32)


ENGINES = ("embedded", "piper", "recorded")


class VoiceMissingError(FileNotFoundError):
    """A voice, a recording or the package that plays it is not here; the message says what to do."""


def load_synthesizer(engine: str = "embedded", models: Path | None = None) -> Synthesizer:
    """Loads a synthesizer: `embedded`, `piper:VOICE` or `recorded:FOLDER`.

    VOICE is a folder or a name below `models` (by default where `voicebot models pull` puts them). Raises ValueError
    for an engine that does not exist and FileNotFoundError, with the remedy, for a voice that is not here.
    """
    kind, _, which = engine.partition(":")
    if kind not in ENGINES:
        raise ValueError(f"unknown synthesizer {engine!r}: choose one of {', '.join(ENGINES)}")
    if kind == "piper":
        from voicebot.tts.piper import load_piper

        return load_piper(which, models or pulled_models_dir())
    if kind == "recorded":
        from voicebot.tts.recorded import load_recorded

        return load_recorded(which, EspeakSynthesizer())
    return EspeakSynthesizer()
