"""The recogniser that ships with the product: onnxruntime, numpy features, one batch for all calls.

Trained on synthetic speech only (models/embedded-asr.md): for demonstrations, tests and simulation.
"""

import json
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from voicebot.asr.features import BANDS, HOP, RATE, StreamingFbank, accept_all
from voicebot.asr.language_model import LanguageModel
from voicebot.asr.lattice import Beam, HotWords, Readings, Slot, Spikes, Syllables
from voicebot.asr.recognizer import RecognizerStream, Syllable, Transcript
from voicebot.config import models_dir
from voicebot.mandarin.aloud import letters

MODEL_NAME, WORDING_NAME = "embedded-asr.onnx", "embedded-lm.gz"
_CHUNK, _SMALLEST = 4, 1  # outputs per run: 160 ms, and 40 ms while the stream is eager
_FLUSH_S = 0.4
_SYLLABLE_BEFORE_S, _SYLLABLE_AFTER_S = 0.16, 0.06  # around a spike, which comes late in its syllable

Floats = NDArray[np.float32]


class AcousticModel:
    """The network: features in chunks, a cache per stream."""

    def __init__(self, path: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        facts = self._session.get_modelmeta().custom_metadata_map
        self.syllables = Syllables(json.loads(facts["tokens"]))
        self.stride, self.look = int(facts["stride"]), int(facts["look"])
        self.cache_shape: tuple[int, ...] = tuple(json.loads(facts["cache"]))
        self.output_s = self.stride * HOP / RATE

    def frames_for(self, outputs: int) -> int:
        return self.stride * (outputs - 1) + self.look

    def run(self, features: Floats, caches: Floats) -> tuple[Floats, Floats]:
        """features (N, frames_for(n), 40), caches (N, ...) -> ln P (N, n, tokens), next caches."""
        scores, following = self._session.run(["scores", "next_cache"], {"features": features, "cache": caches})
        return np.asarray(scores), np.asarray(following)


class EmbeddedStream:
    """One caller's sound and what has been read from it so far."""

    def __init__(self, model: AcousticModel, wording: LanguageModel, hot_words: Sequence[str]) -> None:
        self._model, self._wording = model, wording
        self._hot = HotWords(hot_words)
        self._extra = readings_of_rare(hot_words, wording)
        self._pcm, self._odd, self._closed = bytearray(), b"", False
        self._heard = 0  # samples of all utterances so far
        self.eager = False
        self.reset()

    def reset(self) -> None:
        self._heard += len(self._pcm) // 2
        self._pcm.clear()
        self._began = self._heard
        self._fbank, self._features = StreamingFbank(), np.zeros((0, BANDS), np.float32)
        self.past = np.zeros(self._model.cache_shape, np.float32)
        self._spikes = Spikes(self._model.syllables)
        self._beam = Beam(self._wording, self._hot, self._extra)
        self._output = 0
        self._spelled: list[Syllable] = []

    def accept(self, pcm: bytes) -> None:
        if self._closed:
            return
        pcm = self._odd + pcm
        whole = len(pcm) & ~1
        self._odd = pcm[whole:]
        self._pcm += pcm[:whole]

    @property
    def step(self) -> int:
        """Outputs of the next run: as many as wait, where the smallest is wanted and more are there already."""
        there = (len(self._features) - self._model.look) // self._model.stride + 1
        return min(_CHUNK, max(_SMALLEST, there)) if self.eager else _CHUNK

    def due(self) -> bool:
        """Whether sound that is not yet turned into features completes a chunk of them."""
        wanted = self._model.frames_for(self.step) - len(self._features)
        return wanted > 0 and len(self._pcm) // 2 >= self._fbank.missing(wanted)

    def ready(self) -> bool:
        """Whether a whole chunk of features is there."""
        return len(self._features) >= self._model.frames_for(self.step)

    def chunk(self) -> Floats:
        return self._features[: self._model.frames_for(self.step)]

    def take(self, scores: Floats, following: Floats) -> None:
        """Scores (n, tokens) of the next outputs, and the network's state after them."""
        self.past = following
        self._features = self._features[len(scores) * self._model.stride :]
        for slot in self._spikes.feed(scores, self._output):
            self._beam.extend(slot)
            self._spelled.append(self._syllable(slot))
        self._output += len(scores)

    def partial(self) -> str:
        return letters(self._beam.text)

    def syllables(self) -> Sequence[Syllable]:
        running = self._spikes.running
        return self._spelled if running is None else [*self._spelled, self._syllable(running)]

    def _syllable(self, slot: Slot) -> Syllable:
        return slot.syllable(1000 * self._model.output_s)

    def finish(self) -> Transcript:
        self.pull([self])
        silence = np.zeros(int(_FLUSH_S * RATE), np.float32)
        self._features = np.concatenate([self._features, self._fbank.accept(silence)])
        outputs = (len(self._features) - self._model.look) // self._model.stride + 1
        if outputs > 0:
            frames = self._features[: self._model.frames_for(outputs)]
            scores, following = self._model.run(frames[None], self.past[None])
            self.take(scores[0], following[0])
        for slot in self._spikes.flush():
            self._beam.extend(slot)
        transcript = self._transcript()
        self.reset()
        return transcript

    def close(self) -> None:
        self._closed = True
        self._pcm.clear()

    @staticmethod
    def pull(streams: "Sequence[EmbeddedStream]") -> None:
        """Turn all sound of these into features."""
        if not streams:
            return
        for stream, frames in zip(streams, accept_all([(one._fbank, one._sound()) for one in streams]), strict=True):
            stream._features = np.concatenate([stream._features, frames])

    def _sound(self) -> Floats:
        """The sound that waits, as float32 samples."""
        samples = np.frombuffer(bytes(self._pcm), "<i2").astype(np.float32) / np.float32(32768)
        self._heard += len(samples)
        self._pcm.clear()
        return samples

    def _transcript(self) -> Transcript:
        path = self._beam.final()
        text = path.text[1:]
        if not text:
            return Transcript("", 0.0, None, None)
        offset = self._began / RATE
        start = max(0.0, path.first * self._model.output_s - _SYLLABLE_BEFORE_S)
        end = path.last * self._model.output_s + _SYLLABLE_AFTER_S
        confidence = math.exp(path.heard / len(text))
        return Transcript(letters(text), round(confidence, 3), round(offset + start, 2), round(offset + end, 2))


class EmbeddedRecognizer:
    """See `recognizer.Recognizer`. Raises FileNotFoundError when the model is not there."""

    name = "embedded"
    sample_rate = RATE

    def __init__(self, models: Path | None = None) -> None:
        folder = models or models_dir()
        for name in (MODEL_NAME, WORDING_NAME):
            if not (folder / name).is_file():
                raise FileNotFoundError(
                    f"no {name} in {folder}: reinstall, set VOICEBOT_MODELS, or train it with make train-asr"
                )
        self._model, self._wording = _loaded(folder)

    def open(self, hotwords: Sequence[str] = ()) -> EmbeddedStream:
        return EmbeddedStream(self._model, self._wording, hotwords)

    def decode(self, streams: Sequence[RecognizerStream]) -> None:
        ours = [stream for stream in streams if isinstance(stream, EmbeddedStream)]
        EmbeddedStream.pull([stream for stream in ours if stream.due()])
        while ready := [stream for stream in ours if stream.ready()]:
            for step in {stream.step for stream in ready}:
                self._advance([stream for stream in ready if stream.step == step])

    def _advance(self, streams: Sequence[EmbeddedStream]) -> None:
        """One run for streams whose step is the same."""
        features = np.stack([stream.chunk() for stream in streams])
        scores, following = self._model.run(features, np.stack([stream.past for stream in streams]))
        for i, stream in enumerate(streams):
            stream.take(scores[i], following[i])


@cache
def _loaded(folder: Path) -> tuple[AcousticModel, LanguageModel]:
    return AcousticModel(folder / MODEL_NAME), LanguageModel.load(folder / WORDING_NAME)


def readings_of_rare(words: Sequence[str], wording: LanguageModel) -> Readings:
    """Readings of hot-word characters that the lexicon lacks, by toneless syllable."""
    rare = sorted({char for word in words for char in word if not wording.knows(char)})
    if not rare:
        return {}
    from voicebot.mandarin.pinyin import char_readings

    out: dict[str, dict[str, dict[str, float]]] = {}
    for char in rare:
        for rank, syllable in enumerate(char_readings(char)[:3]):
            out.setdefault(syllable[:-1], {}).setdefault(char, {})[syllable[-1]] = -0.2 - rank
    return out
