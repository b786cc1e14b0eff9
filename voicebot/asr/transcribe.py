"""A sound file to text, as `voicebot asr transcribe` reports it."""

import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from voicebot.asr.recognizer import Recognizer, load_recognizer

_TICK_MS = 20


class AudioFileError(ValueError):
    """The file is no sound that can be transcribed; the message says why."""


_recognizer = cache(load_recognizer)


def transcribe_file(path: str | Path, engine: str = "embedded") -> dict[str, Any]:
    """`{"path", "text", "partials": [{"at_s", "text"}], "rtf", "confidence", "start_s", "end_s"}`.

    The file is streamed in 20 ms pieces as a call would be; `rtf` is CPU seconds per second of sound. Any rate that
    soundfile reads is resampled; channels are mixed. Raises AudioFileError for a file that is missing or no sound.
    """
    recognizer = _recognizer(engine)
    pcm, seconds = read_pcm(path, recognizer.sample_rate)
    return {"path": str(path), **_transcribe(recognizer, pcm, seconds)}


def read_pcm(path: str | Path, rate: int) -> tuple[bytes, float]:
    """s16le mono at `rate`, and its length in seconds."""
    try:
        samples, found = soundfile.read(str(path), dtype="float32", always_2d=True)
    except (OSError, RuntimeError) as error:
        raise AudioFileError(f"{path}: cannot be read as sound ({error})") from error
    mono = samples.mean(axis=1)
    if found != rate:
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
    heard = stream.finish()
    spent = time.process_time() - began
    if heard.text != shown:
        partials.append({"at_s": round(seconds, 2), "text": heard.text})
    return {"text": heard.text, "partials": partials, "rtf": round(spent / max(seconds, 1e-3), 4),
            "confidence": heard.confidence, "start_s": heard.start_s, "end_s": heard.end_s}
