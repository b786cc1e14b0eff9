"""WhisperModel: many pieces of sound through one Whisper in one batch, by faster-whisper and CTranslate2."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from voicebot.asr.model_files import find_model, need
from voicebot.asr.whisper import RATE, Asked, Floats, Reading, WhisperRecognizer

MOST_TOKENS = 120
"""Of one reading: half a minute of fast speech."""
MOST_S = 30.0
"""Whisper sees so much at once; of more, the end counts."""
_WHISPER_RATE, _STAMP_S = 16000, 0.02
_NOBODY_SPEAKS, _UNLIKELY = 0.6, -1.0
"""A reading that is surer of silence than this, and less sure of its words than that, is none (Whisper's own rule)."""


class WhisperModel:
    """See `whisper.Reader`."""

    def __init__(self, model: Any, tokenizer: Any, pad: Callable[[Floats], Floats]) -> None:
        self._model, self._tokenizer, self._pad = model, tokenizer, pad

    def read(self, asked: Sequence[Asked]) -> list[Reading]:
        encoded = self._model.encode(np.stack([self._features(one.sound) for one in asked]))
        prompts = [self._prompt(one) for one in asked]
        readings: dict[int, Reading] = {}
        for places in _of_one_length(prompts):
            results = self._generate(encoded, prompts, places)
            for place, result in zip(places, results, strict=True):
                readings[place] = self._reading(result, len(asked[place].sound) / RATE)
        return [readings[place] for place in range(len(asked))]

    def _features(self, sound: Floats) -> Floats:
        latest = sound[-int(MOST_S * RATE) :]
        wide = np.asarray(soxr.resample(latest, RATE, _WHISPER_RATE), np.float32)
        return self._pad(self._model.feature_extractor(wide)[..., :-1])

    def _prompt(self, one: Asked) -> list[int]:
        prompt: list[int] = self._model.get_prompt(
            self._tokenizer, previous_tokens=[], hotwords=" ".join(one.words.words) or None
        )
        return prompt

    def _generate(self, encoded: Any, prompts: Sequence[list[int]], places: Sequence[int]) -> Any:
        """Decoding wants prompts of one length; encoding, which takes far longer, is one batch for all."""
        return self._model.model.generate(
            encoded if len(places) == len(prompts) else _rows(encoded, places),
            [prompts[place] for place in places],
            beam_size=1,
            max_length=len(prompts[places[0]]) + MOST_TOKENS,
            return_scores=True,
            return_no_speech_prob=True,
        )

    def _reading(self, result: Any, seconds: float) -> Reading:
        sure = float(result.scores[0])
        if result.no_speech_prob > _NOBODY_SPEAKS and sure < _UNLIKELY:
            return Reading((), 0.0)
        segments = tuple(self._segments(result.sequences_ids[0], seconds))
        return Reading(segments, round(min(1.0, math.exp(sure)), 3) if segments else 0.0)

    def _segments(self, tokens: Sequence[int], seconds: float) -> Iterator[tuple[str, float]]:
        """Texts, each with its end: where the next time stamp is, or the sound's own end."""
        first_stamp = self._tokenizer.timestamp_begin
        words: list[int] = []
        for token in (*tokens, None):
            if token is not None and token < first_stamp:
                words.append(token)
                continue
            end = seconds if token is None else min(seconds, (token - first_stamp) * _STAMP_S)
            if text := self._tokenizer.decode(words).strip():
                yield text, end
            words = []


def load_whisper(model: str, folder: Path) -> WhisperRecognizer:
    """A CTranslate2 Whisper below `folder` (or a folder itself), on a GPU where there is one; nothing is fetched.

    Raises ModelMissingError, which says how to get it, or which package is missing.
    """
    whisper = need("faster_whisper", "whisper")
    files = find_model(model, folder)
    files.one("model.bin")
    threads = max(1, (os.cpu_count() or 2) // 2)  # the line needs some too
    loaded = whisper.WhisperModel(
        str(files.folder), device="auto", compute_type="auto", cpu_threads=threads, local_files_only=True
    )
    tokenizer = whisper.tokenizer.Tokenizer(
        loaded.hf_tokenizer, loaded.model.is_multilingual, task="transcribe", language="zh"
    )
    return WhisperRecognizer(f"whisper:{files.name}", WhisperModel(loaded, tokenizer, whisper.audio.pad_or_trim))


def _of_one_length(prompts: Sequence[Sequence[int]]) -> list[list[int]]:
    """Places of prompts, those of one length together."""
    places: dict[int, list[int]] = defaultdict(list)
    for place, prompt in enumerate(prompts):
        places[len(prompt)].append(place)
    return list(places.values())


def _rows(encoded: Any, places: Sequence[int]) -> Any:
    """Some rows of what the encoder made of a batch."""
    storage = type(encoded)
    return storage.from_array(np.ascontiguousarray(np.array(encoded.to_device(_host()))[list(places)]))


def _host() -> Any:
    import ctranslate2

    return ctranslate2.Device.cpu
