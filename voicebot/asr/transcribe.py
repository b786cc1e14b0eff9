"""A sound file to text, as `voicebot asr transcribe` reports it."""

import time
import wave
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from voicebot.asr.recognizer import Recognizer, load_recognizer

_TICK_MS = 20
RATES = range(4000, 192_001)
"""Samples a second that a file may have; what claims fewer would grow beyond all memory at ours."""


class AudioFileError(ValueError):
    """The file is no sound that can be transcribed; the message says why."""


_recognizer = cache(load_recognizer)


def transcribe_file(path: str | Path, engine: str = "embedded") -> dict[str, Any]:
    """`{"path", "text", "partials": [{"at_s", "text"}], "rtf", "confidence", "start_s", "end_s"}`.

    16-bit PCM WAV of any rate; channels are mixed. Streamed in 20 ms pieces as a call would be; `rtf` is CPU seconds
    per second of sound. Raises AudioFileError for a file that is missing or not such a WAV.
    """
    recognizer = _recognizer(engine)
    pcm, seconds = read_pcm(path, recognizer.sample_rate)
    return {"path": str(path), **_transcribe(recognizer, pcm, seconds)}


def read_pcm(path: str | Path, rate: int) -> tuple[bytes, float]:
    """s16le mono at `rate`, and its length in seconds."""
    try:
        with wave.open(str(path), "rb") as file:
            found, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            if found not in RATES:
                raise wave.Error(f"a rate of {found} samples a second")
            raw = file.readframes(file.getnframes())
    except (OSError, EOFError, ValueError, RuntimeError, wave.Error) as error:  # damaged heads raise any of these
        raise AudioFileError(f"{path}: cannot be read as WAV ({str(error) or 'damaged'})") from error
    if width != 2:
        raise AudioFileError(f"{path}: {8 * width} bits per sample; convert it to 16-bit PCM WAV")
    whole = len(raw) // (2 * channels) * 2 * channels
    mono = np.frombuffer(raw[:whole], "<i2").reshape(-1, channels).mean(axis=1).astype(np.float32) / np.float32(32768)
    if found != rate and len(mono):
        mono = np.asarray(soxr.resample(mono, found, rate))
    return (np.clip(mono, -1, 1) * 32767).astype("<i2").tobytes(), len(mono) / rate


def _transcribe(recognizer: Recognizer, pcm: bytes, seconds: float) -> dict[str, Any]:
    stream, partials, shown = recognizer.open(), [], ""
    began = time.process_time()
    tick = recognizer.sample_rate * _TICK_MS // 1000 * 2
    for n, at in enumerate(range(0, len(pcm), tick), 1):
        stream.accept(pcm[at : at + tick])
        recognizer.decode([stream])
        if stream.partial() != shown:
            shown = stream.partial()
            partials.append({"at_s": round(n * _TICK_MS / 1000, 2), "text": shown})
    finished = stream.finish()
    heard = finished.result() if isinstance(finished, Future) else finished
    spent = time.process_time() - began
    if heard.text != shown:
        partials.append({"at_s": round(seconds, 2), "text": heard.text})
    return {
        "text": heard.text,
        "partials": partials,
        "rtf": round(spent / max(seconds, 1e-3), 4),
        "confidence": heard.confidence,
        "start_s": heard.start_s,
        "end_s": heard.end_s,
    }
