"""faster-whisper made streaming: a running turn is read again and again; what two readings agree on is a partial."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from voicebot.asr.hot_words import BySound
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


@dataclass(frozen=True, slots=True)
class Asked:
    """Sound (float32 at 8 kHz) to be read, and the words of its call."""

    sound: Floats
    words: BySound


class Reader(Protocol):
    """A Whisper model."""

    def read(self, asked: Sequence[Asked]) -> Sequence[Reading]:
        """One reading for each, all in one batch. Takes long: never in the thread of a tick."""


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
    """One model, one thread. What waits while it reads is read next, in one batch for all streams."""

    sample_rate = RATE

    def __init__(self, name: str, reader: Reader) -> None:
        self.name = name
        self._reader = reader
        self._waiting: list[tuple[Asked, Future[Reading]]] = []
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="whisper")

    def open(self, hotwords: Sequence[str] = ()) -> RecognizerStream:
        return WhisperStream(self, BySound(hotwords))

    def decode(self, streams: Sequence[RecognizerStream]) -> None:
        for stream in streams:
            if isinstance(stream, WhisperStream):
                stream.advance()

    def read(self, sound: Floats, words: BySound) -> Future[Reading]:
        """Read float32 sound at 8 kHz, when its turn comes."""
        wanted: Future[Reading] = Future()
        with self._lock:
            self._waiting.append((Asked(sound, words), wanted))
        self._thread.submit(self._read_waiting)
        return wanted

    def conclude(self, sound: Floats, words: BySound, settled: str, began: float, heard: float) -> Future[Transcript]:
        """The last reading of a turn."""
        concluded: Future[Transcript] = Future()

        def told(read: Future[Reading]) -> None:
            try:
                concluded.set_result(_transcript(read.result(), words, settled, began, heard))
            except BaseException as error:  # it belongs to whoever waits
                concluded.set_exception(error)

        self.read(sound, words).add_done_callback(told)
        return concluded

    def _read_waiting(self) -> None:
        with self._lock:
            waiting = [(asked, wanted) for asked, wanted in self._waiting if wanted.set_running_or_notify_cancel()]
            self._waiting.clear()
        try:
            self._read_all(waiting)
        except Exception:  # one of them spoils the batch: whose it is turns out one by one
            for one in waiting:
                self._read_alone(one)

    def _read_alone(self, one: tuple[Asked, Future[Reading]]) -> None:
        try:
            self._read_all([one])
        except Exception as error:
            one[1].set_exception(error)

    def _read_all(self, waiting: Sequence[tuple[Asked, Future[Reading]]]) -> None:
        long = [one for one in waiting if len(one[0].sound) >= LEAST_S * RATE]
        readings = self._reader.read([asked for asked, _ in long]) if long else ()
        for (_, wanted), reading in zip(long, readings, strict=True):
            wanted.set_result(reading)
        for asked, wanted in waiting:
            if len(asked.sound) < LEAST_S * RATE:
                wanted.set_result(Reading((), 0.0))


def _transcript(reading: Reading, words: BySound, settled: str, began: float, heard: float) -> Transcript:
    text = words.spell(settled + reading.text)
    if not text:
        return Transcript("", 0.0, None, None)
    return Transcript(text, reading.confidence, round(began, 2), round(heard, 2))
