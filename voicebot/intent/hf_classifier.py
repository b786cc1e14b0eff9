"""HuggingFaceClassifier: any sequence classifier of transformers, from a local folder, behind our interface."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voicebot.domain.understanding import Emotion, EmotionLabel
from voicebot.intent.classifier import CALIBRATION_FILE, Calibration, Classified, accepted, softmax
from voicebot.intent.taxonomy import DANGER, taxonomy
from voicebot.intent.text import normalise
from voicebot.intent.vocabulary import ModelError

CONFIG_FILE = "config.json"
"""Its presence tells a folder of transformers from one of ours."""
EMOTION_PREFIX = "emotion:"
TOPIC_WORDS = "voicebot_topics"
"""Optional key of config.json: words for each topic, given to the model as the first of a pair of sentences."""
_LONGEST = 128


class HuggingFaceClassifier:
    """Labels are the `id2label` of the model: intent ids, and optionally emotions as `emotion:angry`.

    Needs the extra `train` (torch, transformers). Nothing is downloaded: the folder must hold model and tokenizer.
    An `intent.json` beside them calibrates as for our own models. Safe to share between threads.
    """

    def __init__(self, folder: Path) -> None:
        self._torch, self._tokenizer, self._model = _load(folder)
        names: Mapping[int, str] = self._model.config.id2label
        labels = [names[index] for index in range(len(names))]
        self._emotions = [i for i, label in enumerate(labels) if label.startswith(EMOTION_PREFIX)]
        self._intents = [i for i, label in enumerate(labels) if not label.startswith(EMOTION_PREFIX)]
        self.intents = tuple(labels[i] for i in self._intents)
        self.emotions = _moods([labels[i] for i in self._emotions], folder)
        strangers = [name for name in self.intents if name not in taxonomy()]
        if strangers or not self.intents:
            raise ModelError(f"{folder / CONFIG_FILE}: id2label must hold our intent ids; unknown: {strangers[:5]}")
        kept = folder / CALIBRATION_FILE
        self.calibration = Calibration.load(kept) if kept.exists() else Calibration()
        self._harm = [index for index, name in enumerate(self.intents) if name in DANGER]
        self._topics: Mapping[str, str] = getattr(self._model.config, TOPIC_WORDS, None) or {}

    def probabilities(self, text: str, topic: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probabilities over `intents` and over `emotions` (empty when the model has none)."""
        logits = self._logits(normalise(text), self._topics.get(topic))
        heat, mood_heat = self.calibration.temperature, self.calibration.emotion_temperature
        moods = logits[self._emotions]
        return softmax(logits[self._intents] / heat), softmax(moods / mood_heat) if moods.size else moods

    def classify(self, text: str, topic: str) -> Classified:
        chances, moods = self.probabilities(text, topic)
        emotion = Emotion()
        if moods.size:
            best = int(moods.argmax())
            emotion = Emotion(self.emotions[best], float(moods[best]))
        return Classified(
            accepted(self.intents, chances, self.calibration), emotion, float(chances[self._harm].sum())
        )

    def _logits(self, text: str, asked: str | None) -> NDArray[np.float32]:
        pair = (asked, text) if asked else (text,)
        inputs = self._tokenizer(*pair, truncation=True, max_length=_LONGEST, return_tensors="pt")
        with self._torch.inference_mode():
            return np.asarray(self._model(**inputs).logits[0].float().numpy(), dtype=np.float32)


def _load(folder: Path) -> tuple[Any, Any, Any]:
    """torch, tokenizer and model; ModelError with the remedy."""
    try:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as error:
        raise ModelError('this intent model needs torch and transformers: pip install "voicebot[train]"') from error
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        model = AutoModelForSequenceClassification.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"no sequence classifier to be loaded in {folder} ({error}): copy it there whole") from error
    return torch, tokenizer, model.eval()


def _moods(labels: list[str], folder: Path) -> tuple[EmotionLabel, ...]:
    try:
        return tuple(EmotionLabel(label.removeprefix(EMOTION_PREFIX)) for label in labels)
    except ValueError as error:
        raise ModelError(f"{folder / CONFIG_FILE}: {error}; emotions are {', '.join(EmotionLabel)}") from error
