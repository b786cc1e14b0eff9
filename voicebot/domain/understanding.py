"""Understanding: what one utterance of the callee was taken to mean, feel and state."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

UNKNOWN = "unknown"
"""Intent id for "none of these"."""


class Topic(StrEnum):
    """What the bot has just asked; every listening node of a script carries one."""

    OPEN = "open"
    VERIFY = "verify"
    DEBT = "debt"
    REASON = "reason"
    PROMISE = "promise"
    ANY = "any"


class EmotionLabel(StrEnum):
    NEUTRAL = "neutral"
    ANXIOUS = "anxious"
    SAD = "sad"
    ANGRY = "angry"
    SARCASTIC = "sarcastic"
    COOPERATIVE = "cooperative"
    CONFUSED = "confused"


class Tense(StrEnum):
    FUTURE = "future"
    PAST = "past"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class IntentScore:
    """One intent id of the taxonomy and its calibrated probability, 0..1."""

    id: str
    p: float


@dataclass(frozen=True, slots=True)
class Emotion:
    """`arousal` 0..1 comes from sound, 0.5 being usual for this caller; None where nothing was heard of it.
    `cues`: what words and sounds made the label, for a reviewer."""

    label: EmotionLabel = EmotionLabel.NEUTRAL
    p: float = 1.0
    arousal: float | None = None
    cues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Slots:
    """Dates, times, amounts and digits found in an utterance; None where absent. Money is integer fen."""

    date: dt.date | None = None
    date_end: dt.date | None = None
    time: dt.time | None = None
    amount_fen: int | None = None
    amount_min_fen: int | None = None
    amount_max_fen: int | None = None
    ratio: float | None = None
    installments: int | None = None
    per_installment_fen: int | None = None
    digits: str | None = None
    ambiguous: bool = False
    tense: Tense = Tense.NONE


@dataclass(frozen=True, slots=True)
class Understanding:
    """What the callee meant: intents best first, emotion, slots; `danger` is raised by recall-first rules."""

    text: str
    intents: tuple[IntentScore, ...] = ()
    emotion: Emotion = field(default_factory=Emotion)
    slots: Slots = field(default_factory=Slots)
    danger: bool = False

    @property
    def top(self) -> str:
        return self.intents[0].id if self.intents else UNKNOWN

    def has(self, intent: str, at_least: float = 0.0) -> bool:
        """True when `intent` is among the accepted intents with probability `at_least` or more."""
        return any(score.id == intent and score.p >= at_least for score in self.intents)
