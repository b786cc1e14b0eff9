"""Classifier: calibrated probabilities of intents and emotion from the shipped model files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from voicebot.domain.understanding import UNKNOWN, Emotion, EmotionLabel, IntentScore
from voicebot.intent.features import phrases
from voicebot.intent.network import Network, Outputs
from voicebot.intent.taxonomy import DANGER
from voicebot.intent.vocabulary import Encoded, Floats, ModelError, Vocabulary

MODEL_FILE = "intent.onnx"
WORDS_FILE = "intent-words.npz"
CALIBRATION_FILE = "intent.json"
_MOST = 3
_CUES = 2
_KEPT = 1024


@dataclass(frozen=True, slots=True)
class Calibration:
    """Fitted on hands that the calibrated weights had not seen. All thresholds are probabilities.

    `shares`, `emotion_shares`: weight of each of `network.READERS`; the temperatures divide the mixed
    log-probabilities;
    `abstain`: below it the answer is `unknown`; `second`: a further intent is accepted from here (of the mixed
    probability), and from `beside` of the probability that it is meant too; `danger`: both self-harm intents together
    raise the alarm from here, low on purpose; `danger_hinted`: the same where a word of death, farewell or despair is
    heard (`danger.hinted`), where more misses too much from hands it has not seen.
    """

    shares: tuple[float, ...] = (1.0, 0.0, 0.0)
    emotion_shares: tuple[float, ...] = (1.0, 0.0, 0.0)
    temperature: float = 1.0
    emotion_temperature: float = 1.0
    abstain: float = 0.15
    second: float = 0.25
    beside: float = 0.5
    danger: float = 0.2
    danger_hinted: float = 0.05

    @classmethod
    def load(cls, path: Path) -> Calibration:
        try:
            kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            kept |= {name: tuple(value) for name, value in kept.items() if isinstance(value, list)}
            return cls(**kept)
        except (OSError, ValueError, TypeError, AttributeError) as error:
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
        self.words = Vocabulary.load(folder / WORDS_FILE)
        self.network = Network(folder / MODEL_FILE)
        self.calibration = Calibration.load(folder / CALIBRATION_FILE)
        self.classify = lru_cache(_KEPT)(self._classify)
        """What words and topic mean. The last partial of a turn mostly is its text: it is looked at once."""
        self._harm = [index for index, name in enumerate(self.words.intents) if name in DANGER]

    def probabilities(self, text: str, topic: str) -> tuple[Floats, Floats]:
        """Probabilities over `words.intents` and over `words.emotions`."""
        return self._chances(self.network.run(self.words.encode(text, topic)))

    def _classify(self, text: str, topic: str) -> Classified:
        said = self.words.encode(text, topic)
        found = self.network.run(said)
        chances, moods = self._chances(found)
        mood = int(moods.argmax())
        label = EmotionLabel(self.words.emotions[mood])
        cues = () if label is EmotionLabel.NEUTRAL else _speaking_for(mood, text, said, found.felt)
        emotion = Emotion(label, float(moods[mood]), cues=tuple(f"says {word}" for word in cues))
        intents = accepted(self.words.intents, chances, self.calibration, sigmoid(found.beside))
        return Classified(intents, emotion, float(chances[self._harm].sum()))

    def _chances(self, found: Outputs) -> tuple[Floats, Floats]:
        chance = self.calibration
        return softmax(mixed(found.intents, chance.shares) / chance.temperature), softmax(
            mixed(found.emotions, chance.emotion_shares) / chance.emotion_temperature
        )


def accepted(
    intents: Sequence[str], chances: Floats, calibration: Calibration, beside: Floats | None = None
) -> tuple[IntentScore, ...]:
    """The best intent and those others that are likely enough; `unknown` first when even the best is not likely."""
    ranked = np.argsort(-chances)
    best = IntentScore(intents[ranked[0]], float(chances[ranked[0]]))
    if best.p < calibration.abstain:
        return (IntentScore(UNKNOWN, 1 - best.p), best)
    more = {int(i): float(chances[i]) for i in ranked[1:_MOST] if chances[i] >= calibration.second}
    for index in np.flatnonzero(beside >= calibration.beside) if beside is not None else ():
        if index != ranked[0]:
            more[int(index)] = max(float(beside[index]) if beside is not None else 0.0, more.get(int(index), 0.0))
    others = sorted((IntentScore(intents[i], min(p, best.p)) for i, p in more.items()), key=lambda score: -score.p)
    return (best, *others[: _MOST - 1])


def mixed(logits: Floats, shares: Sequence[float]) -> Floats:
    """Weighted sum of the readers' log-probabilities: (readers, …, n) to (…, n)."""
    return np.asarray(np.tensordot(np.array(shares, np.float32), _log_softmax(logits), axes=1), dtype=np.float32)


def _speaking_for(mood: int, text: str, said: Encoded, felt: Floats) -> tuple[str, ...]:
    """The up to two phrases of `text` that speak most for that emotion against the others, strongest first."""
    lead = dict(zip(said.keys.tolist(), (felt[:, mood] - felt.mean(axis=1)).tolist(), strict=True))
    keys, words = phrases(text)
    strong = sorted(
        ((lead[key], word) for key, word in zip(keys.tolist(), words, strict=True) if lead.get(key, 0.0) > 0),
        reverse=True,
    )
    chosen: list[str] = []
    for _, word in strong:
        if len(chosen) < _CUES and not any(word in other or other in word for other in chosen):
            chosen.append(word)
    return tuple(chosen)


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), dtype=np.float32)


def softmax(logits: Floats) -> Floats:
    grown = np.exp(logits - logits.max())
    return np.asarray(grown / grown.sum(), dtype=np.float32)


def sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)
