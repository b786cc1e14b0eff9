"""Piper behind the seam: neural voices on the CPU (extra `piper`, GPL-3)."""

from __future__ import annotations

import importlib
import threading
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from voicebot import __version__
from voicebot.mandarin.aloud import spoken
from voicebot.mandarin.pinyin import read
from voicebot.tts.synthesizer import RATE, VoiceMissingError, level
from voicebot.tts.voices import VoiceSpec, parse_voice

_USUAL_WPM = 175
"""The rate of the embedded voice that counts as a voice's own tempo."""


class PiperSynthesizer:
    """One Piper voice; sentences are spoken one after the other, behind one lock."""

    def __init__(self, name: str, voice: Any, config: Any, edition: str = "") -> None:
        self.name, self.edition = name, edition
        self._voice, self._config = voice, config
        self._lock = threading.Lock()

    def synthesize(self, text: str, voice: str | VoiceSpec | None = None, rate: int | None = None) -> bytes:
        """See Synthesizer. Of a voice setting, tempo and level are used: the timbre is the model's."""
        spec = parse_voice(voice, rate)
        words = spoken(text)
        config = self._config(length_scale=_USUAL_WPM / spec.rate if rate else None)
        with self._lock:
            chunks = list(self._voice.synthesize(words, syn_config=config)) if read(words) else []
        if not chunks:
            return b""
        samples = np.concatenate([np.asarray(chunk.audio_float_array, np.float32) for chunk in chunks])
        narrow = np.asarray(soxr.resample(samples, chunks[0].sample_rate, RATE), np.float32)
        return (level(narrow, spec.level_dbfs) * 32767).astype("<i2").tobytes()


def load_piper(model: str, folder: Path) -> PiperSynthesizer:
    """The voice `model` below `folder` (or a folder, or an .onnx file with its .json beside it).

    Raises VoiceMissingError, which says how to get it, or which package is missing.
    """
    try:
        piper = importlib.import_module("piper")
    except ImportError as error:
        raise VoiceMissingError(
            "this engine needs the package piper-tts: install voicebot with its extra, pip install 'voicebot[piper]'"
        ) from error
    path = _onnx(model, folder)
    loaded, file = piper.PiperVoice.load(str(path)), path.stat()
    edition = f"{__version__}-{file.st_size}-{file.st_mtime_ns}"
    return PiperSynthesizer(f"piper:{path.stem}", loaded, piper.SynthesisConfig, edition)


def _onnx(model: str, folder: Path) -> Path:
    place = Path(model) if Path(model).exists() else folder / model
    found = [place] if place.suffix == ".onnx" else sorted(place.glob("*.onnx"))
    for path in found:
        if path.is_file() and path.with_name(path.name + ".json").is_file():
            return path
    raise VoiceMissingError(
        f"no voice {model!r} below {folder}: voicebot models list shows names, voicebot models pull NAME gets one"
    )
