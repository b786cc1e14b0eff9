"""Classifier: calibrated probabilities of intents and emotion from the shipped model files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from voicebot.domain.understanding import UNKNOWN, Emotion, EmotionLabel, IntentScore
from voicebot.intent.linear import LinearModel, ModelError
from voicebot.intent.network import Network
from voicebot.intent.taxonomy import DANGER

MODEL_FILE = "intent.npz"
NETWORK_FILE = "intent-network.npz"
CALIBRATION_FILE = "intent.json"
_MOST = 3


@dataclass(frozen=True, slots=True)
class Calibration:
    """Fitted on a hand that the calibrated weights had not seen. All thresholds are probabilities.

    `network_share`, `emotion_share`: weight of the network beside the linear model; the temperatures divide the mixed
    log-probabilities;
    `abstain`: below it the answer is `unknown`; `second`: a further intent is accepted from here; `danger`: both
    self-harm intents together raise the alarm from here, low on purpose; `danger_hinted`: the same where a word of
    death, farewell or despair is heard (`danger.hinted`), where more misses too much from hands it has not seen.
    """

    network_share: float = 0.0
    emotion_share: float = 0.0
    temperature: float = 1.0
    emotion_temperature: float = 1.0
    abstain: float = 0.15
    second: float = 0.25
    danger: float = 0.2
    danger_hinted: float = 0.05

    @classmethod
    def load(cls, path: Path) -> Calibration:
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(f"{path.name} cannot be read ({error}): run `make train-intent`") from error

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Classified:
    """`intents`: accepted ones, best first, at least one; `danger`: probability that the callee is a danger to self."""

    intents: tuple[IntentScore, ...]
    emotion: Emotion
    danger: float


class IntentClassifier(Protocol):
    """What turns words and topic into intents: our own models, or anybody's behind the same two names."""

    calibration: Calibration

    def classify(self, text: str, topic: str) -> Classified: ...


class Classifier:
    """The models of one folder. Pure once loaded; safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self.model = LinearModel.load(folder / MODEL_FILE)
        self.network = Network.load(folder / NETWORK_FILE)
        self.calibration = Calibration.load(folder / CALIBRATION_FILE)
        self._harm = [index for index, name in enumerate(self.model.intents) if name in DANGER]

    def probabilities(self, text: str, topic: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probabilities over `model.intents` and over `model.emotions`."""
        linear = self.model.logits(text, topic)
        network = self.network.logits(text, topic, len(self.model.intents))
        shares = (self.calibration.network_share, self.calibration.emotion_share)
        intents, emotions = (mixed(one, two, part) for one, two, part in zip(linear, network, shares, strict=True))
        return softmax(intents / self.calibration.temperature), softmax(
            emotions / self.calibration.emotion_temperature
        )

    def classify(self, text: str, topic: str) -> Classified:
        chances, moods = self.probabilities(text, topic)
        mood = int(moods.argmax())
        label = EmotionLabel(self.model.emotions[mood])
        cues = () if label is EmotionLabel.NEUTRAL else self.model.words_for(mood, text, topic)
        emotion = Emotion(label, float(moods[mood]), cues=tuple(f"says {word}" for word in cues))
        found = accepted(self.model.intents, chances, self.calibration)
        return Classified(found, emotion, float(chances[self._harm].sum()))


def accepted(
    intents: Sequence[str], chances: NDArray[np.float32], calibration: Calibration
) -> tuple[IntentScore, ...]:
    """The best intent and those others that are likely enough; `unknown` first when even the best is not likely."""
    scores = [IntentScore(intents[i], float(chances[i])) for i in np.argsort(-chances)[:_MOST]]
    if scores[0].p < calibration.abstain:
        return (IntentScore(UNKNOWN, 1 - scores[0].p), scores[0])
    return (scores[0], *(score for score in scores[1:] if score.p >= calibration.second))


def mixed(linear: NDArray[np.float32], network: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Weighted mean of two models' log-probabilities, last axis; `share` is the network's."""
    return np.asarray((1 - share) * _log_softmax(linear) + share * _log_softmax(network), dtype=np.float32)


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), dtype=np.float32)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    grown = np.exp(logits - logits.max())
    return np.asarray(grown / grown.sum(), dtype=np.float32)
