"""faster-whisper made streaming: a running turn is read again and again; what two readings agree on is a partial."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from voicebot.asr.hot_words import BySound
from voicebot.asr.model_files import find_model, need
from voicebot.asr.recognizer import RecognizerStream, Transcript

RATE = 8000
STEP_S = 0.8
"""New sound before the turn is read again."""
WINDOW_S = 20.0
"""Whisper reads 30 s at most; of a longer turn, whole segments are settled and their sound is dropped."""
LEAST_S = 0.2
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model made of a window: segments as (text, end in seconds), and how sure it was, 0..1."""

    segments: tuple[tuple[str, float], ...]
    confidence: float

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.segments)


def agreed(before: str, now: str) -> str:
    """The common beginning of two readings (local agreement)."""
    for at, (one, other) in enumerate(zip(before, now, strict=False)):
        if one != other:
            return now[:at]
    return min(before, now, key=len)


class WhisperStream:
    """One caller's sound. Readings happen in the engine's thread; here only their results are kept."""

    def __init__(self, engine: WhisperRecognizer, words: BySound) -> None:
        self._engine, self._words = engine, words
        self._sound: Floats = np.zeros(0, np.float32)
        self._heard = self._new = self._began = 0
        self._settled = self._before = self._agreed = ""
        self._closed = False
        self._job: Future[Reading] | None = None

    def accept(self, pcm: bytes) -> None:
        if self._closed:
            return
        samples = np.frombuffer(pcm[: len(pcm) & ~1], "<i2").astype(np.float32) / np.float32(32768)
        self._sound = np.concatenate([self._sound, samples])
        self._heard += len(samples)
        self._new += len(samples)

    def advance(self) -> None:
        """Take a finished reading, and begin another when there is enough new sound."""
        if self._job is not None and self._job.done():
            job, self._job = self._job, None
            self._take(job.result())
        if self._job is None and self._new >= STEP_S * RATE:
            self._new = 0
            self._job = self._engine.read(self._sound, self._words)

    def partial(self) -> str:
        return self._words.spell(self._settled + self._agreed)

    def finish(self) -> Future[Transcript]:
        settled, began, heard = self._settled, self._began / RATE, self._heard / RATE
        final = self._engine.conclude(self._sound, self._words, settled, began, heard)
        self.reset()
        return final

    def reset(self) -> None:
        if self._job is not None:
            self._job.cancel()
        self._job = None
        self._sound = np.zeros(0, np.float32)
        self._new, self._began = 0, self._heard
        self._settled = self._before = self._agreed = ""

    def close(self) -> None:
        self._closed = True
        self.reset()

    def _take(self, reading: Reading) -> None:
        self._agreed = agreed(self._before, reading.text)
        self._before = reading.text
        if len(self._sound) > WINDOW_S * RATE and len(reading.segments) > 1:
            self._settle(reading)

    def _settle(self, reading: Reading) -> None:
        """All segments but the last are final: their sound need not be read again."""
        *done, (rest, _) = reading.segments
        self._settled += "".join(text for text, _ in done)
        self._sound = self._sound[int(done[-1][1] * RATE) :]
        self._before, self._agreed = rest, ""


class WhisperRecognizer:
    """One model, one thread that reads for all streams in turn."""

    sample_rate = RATE

    def __init__(self, name: str, model: Any, *, most_tokens: int = 120) -> None:
        self.name = name
        self._model, self._most_tokens = model, most_tokens
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="whisper")

    def open(self, hotwords: Sequence[str] = ()) -> RecognizerStream:
        return WhisperStream(self, BySound(hotwords))

    def decode(self, streams: Sequence[RecognizerStream]) -> None:
        for stream in streams:
            if isinstance(stream, WhisperStream):
                stream.advance()

    def read(self, sound: Floats, words: BySound) -> Future[Reading]:
        """Read float32 sound at 8 kHz, when its turn comes."""
        return self._thread.submit(self._read, sound, words)

    def conclude(self, sound: Floats, words: BySound, settled: str, began: float, heard: float) -> Future[Transcript]:
        """The last reading of a turn."""

        def work() -> Transcript:
            reading = self._read(sound, words)
            text = words.spell(settled + reading.text)
            if not text:
                return Transcript("", 0.0, None, None)
            return Transcript(text, reading.confidence, round(began, 2), round(heard, 2))

        return self._thread.submit(work)

    def _read(self, sound: Floats, words: BySound) -> Reading:
        if len(sound) < LEAST_S * RATE:
            return Reading((), 0.0)
        segments, _ = self._model.transcribe(
            np.asarray(soxr.resample(sound, RATE, 16000), np.float32),
            language="zh",
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
            hotwords=" ".join(words.words) or None,
            max_new_tokens=self._most_tokens,
        )
        return _reading(segments)


def _reading(segments: Iterable[Any]) -> Reading:
    found = list(segments)
    if not found:
        return Reading((), 0.0)
    sure = math.exp(sum(one.avg_logprob for one in found) / len(found))
    return Reading(tuple((one.text.strip(), float(one.end)) for one in found), round(min(1.0, sure), 3))


def load_whisper(model: str, folder: Path, *, most_tokens: int = 120) -> WhisperRecognizer:
    """A CTranslate2 Whisper below `folder` (or a folder itself); nothing is fetched.

    Raises ModelMissingError, which says how to get it, or which package is missing.
    """
    whisper = need("faster_whisper", "whisper")
    files = find_model(model, folder)
    files.one("model.bin")
    loaded = whisper.WhisperModel(
        str(files.folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
    )
    return WhisperRecognizer(f"whisper:{files.name}", loaded, most_tokens=most_tokens)
