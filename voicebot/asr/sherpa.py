"""sherpa-onnx behind the Recognizer seam: streaming zipformer and paraformer, SenseVoice by utterance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voicebot.asr.hot_words import BySound
from voicebot.asr.model_files import find_model, need
from voicebot.asr.recognizer import RecognizerStream, Transcript

RATE = 8000
_TAIL_S = 0.66
"""Silence behind an utterance: the last chunk of a streaming model is decoded only when more follows."""
_LOOK_EVERY_S = 0.5
"""How often the words so far are looked for where the model can only read whole utterances."""
_UNSURE = 0.8
"""Confidence told for models that tell none."""


class SherpaStream:
    """One caller's sound in a streaming model; `hot_words`: those of the call as the model takes them, if it does."""

    def __init__(self, engine: Any, words: BySound, hot_words: str = "") -> None:
        self._engine, self._words, self._hot_words = engine, words, hot_words
        self._heard, self._began, self._closed = 0, 0, False
        self.stream: Any = self._open()

    def _open(self) -> Any:
        return self._engine.create_stream(self._hot_words) if self._hot_words else self._engine.create_stream()

    def accept(self, pcm: bytes) -> None:
        if not self._closed:
            samples = _floats(pcm)
            self._heard += len(samples)
            self.stream.accept_waveform(RATE, samples)

    @property
    def ready(self) -> bool:
        return not self._closed and bool(self._engine.is_ready(self.stream))

    def partial(self) -> str:
        return self._words.spell(_words(self._engine.get_result(self.stream)))

    def finish(self) -> Transcript:
        self.stream.accept_waveform(RATE, np.zeros(int(_TAIL_S * RATE), np.float32))
        self.stream.input_finished()
        while self._engine.is_ready(self.stream):
            self._engine.decode_stream(self.stream)
        transcript = self._transcript(self._engine.get_result_all(self.stream))
        self.reset()
        return transcript

    def reset(self) -> None:
        self._began = self._heard
        self.stream = self._open()

    def close(self) -> None:
        self._closed = True

    def _transcript(self, result: Any) -> Transcript:
        text = self._words.spell(_words(result.text))
        if not text:
            return Transcript("", 0.0, None, None)
        offset, times = self._began / RATE, list(result.timestamps) or [0.0]
        chances = list(result.ys_probs)
        sure = math.exp(sum(chances) / len(chances)) if chances else _UNSURE
        start, end = round(offset + times[0], 2), round(offset + times[-1] + 0.1, 2)
        return Transcript(text, round(min(1.0, sure), 3), start, end)


class WholeStream:
    """One caller's sound for a model that reads whole utterances; it is read anew every half second."""

    def __init__(self, engine: Any, words: BySound) -> None:
        self._engine, self._words = engine, words
        self._sound: list[NDArray[np.float32]] = []
        self._since = self._heard = self._began = 0
        self._text = ""
        self._closed = False

    def accept(self, pcm: bytes) -> None:
        if not self._closed:
            self._sound.append(_floats(pcm))
            self._since += len(self._sound[-1])
            self._heard += len(self._sound[-1])

    @property
    def due(self) -> bool:
        return self._since >= _LOOK_EVERY_S * RATE

    def prepared(self) -> Any:
        """A stream of the engine with all sound so far."""
        self._since = 0
        stream = self._engine.create_stream()
        stream.accept_waveform(RATE, np.concatenate(self._sound) if self._sound else np.zeros(RATE // 10, np.float32))
        return stream

    def take(self, stream: Any) -> None:
        self._text = self._words.spell(_words(stream.result.text))

    def partial(self) -> str:
        return self._text

    def finish(self) -> Transcript:
        stream = self.prepared()
        self._engine.decode_streams([stream])
        self.take(stream)
        text, began, heard = self._text, self._began / RATE, self._heard / RATE
        self.reset()
        return Transcript(text, _UNSURE, round(began, 2), round(heard, 2)) if text else Transcript("", 0.0, None, None)

    def reset(self) -> None:
        self._sound.clear()
        self._text, self._since, self._began = "", 0, self._heard

    def close(self) -> None:
        self._closed = True
        self._sound.clear()


class SherpaRecognizer:
    """Any streaming model of sherpa-onnx: one batch per tick for all streams that have enough sound."""

    sample_rate = RATE

    def __init__(self, name: str, engine: Any, takes_hot_words: bool = False) -> None:
        self.name = name
        self._engine, self._takes_hot_words = engine, takes_hot_words

    def open(self, hotwords: Sequence[str] = ()) -> RecognizerStream:
        told = "/".join(" ".join(word) for word in hotwords if word) if self._takes_hot_words else ""
        return SherpaStream(self._engine, BySound(hotwords), told)

    def decode(self, streams: Sequence[RecognizerStream]) -> None:
        waiting = [one for one in streams if isinstance(one, SherpaStream)]
        while ready := [one.stream for one in waiting if one.ready]:
            self._engine.decode_streams(ready)


class SenseVoiceRecognizer:
    """SenseVoice (and any other whole-utterance model) behind the same seam."""

    sample_rate = RATE

    def __init__(self, name: str, engine: Any) -> None:
        self.name = name
        self._engine = engine

    def open(self, hotwords: Sequence[str] = ()) -> RecognizerStream:
        return WholeStream(self._engine, BySound(hotwords))

    def decode(self, streams: Sequence[RecognizerStream]) -> None:
        due = [one for one in streams if isinstance(one, WholeStream) and one.due]
        if due:
            prepared = [one.prepared() for one in due]
            self._engine.decode_streams(prepared)
            for one, stream in zip(due, prepared, strict=True):
                one.take(stream)


def load_sherpa(model: str, folder: Path) -> SherpaRecognizer | SenseVoiceRecognizer:
    """The model `model` below `folder` (or a folder itself).

    Raises ModelMissingError, which says how to get it, or which package is missing.
    """
    sherpa = need("sherpa_onnx", "sherpa")
    files = find_model(model, folder)
    name, tokens, threads = f"sherpa:{files.name}", str(files.one("tokens.txt")), 1
    sound = {"sample_rate": files.sample_rate, "feature_dim": files.bands}
    match files.kind:
        case "zipformer":
            engine = sherpa.OnlineRecognizer.from_transducer(
                tokens=tokens,
                encoder=str(files.one("encoder*.onnx")),
                decoder=str(files.one("decoder*.onnx")),
                joiner=str(files.one("joiner*.onnx")),
                num_threads=threads,
                decoding_method="modified_beam_search",
                **sound,
            )
            return SherpaRecognizer(name, engine, takes_hot_words=True)
        case "paraformer":
            engine = sherpa.OnlineRecognizer.from_paraformer(
                tokens=tokens,
                encoder=str(files.one("encoder*.onnx")),
                decoder=str(files.one("decoder*.onnx")),
                num_threads=threads,
                **sound,
            )
            return SherpaRecognizer(name, engine)
        case "zipformer-ctc":
            engine = sherpa.OnlineRecognizer.from_zipformer2_ctc(
                tokens=tokens, model=str(files.one("model*.onnx")), num_threads=threads, **sound
            )
            return SherpaRecognizer(name, engine)
        case _:
            engine = sherpa.OfflineRecognizer.from_sense_voice(
                model=str(files.one("model*.onnx")), tokens=tokens, num_threads=threads, language="zh", use_itn=False
            )
            return SenseVoiceRecognizer(name, engine)


def _floats(pcm: bytes) -> NDArray[np.float32]:
    return np.frombuffer(pcm[: len(pcm) & ~1], "<i2").astype(np.float32) / np.float32(32768)


def _words(text: str) -> str:
    return text.strip().replace(" ", "")
