"""Understander: words and the question before them to an Understanding. Rules for yes, no, danger; else a model."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from voicebot.config import intent_model_dir
from voicebot.domain.understanding import (
    UNKNOWN,
    Emotion,
    EmotionLabel,
    IntentScore,
    Slots,
    Tense,
    Topic,
    Understanding,
)
from voicebot.intent.answers import plain_answer
from voicebot.intent.classifier import Classified, Classifier, IntentClassifier
from voicebot.intent.danger import VEILED, danger, hinted
from voicebot.intent.echoes import echo
from voicebot.intent.slots import parse_slots
from voicebot.intent.taxonomy import DANGER
from voicebot.intent.text import normalise

_CERTAIN = 0.9
"""Probability given to a self-harm intent that the frozen words found and the model did not."""
_INSULT, _SWORN = "ab_insult", 0.6
_SWEARS = re.compile("傻[逼比叉x]|煞笔|操你|艹你|草你|滚你妈|去你妈|你妈[逼比]|王八蛋|[狗驴]日的|脑残")
"""Words that are an insult whatever else is said with them."""
_PAID, _PROMISED = "pay_already_paid", "ptp_date"
_BESIDE_AN_ECHO = frozenset({"ptp_date", "ptp_today", "m_affirm", "pay_partial", "id_confirm_self"})
"""What the model may still have heard beside an answer that repeats what was asked."""


class Understander:
    """Loads the intent model of `models` (default: the shipped ones) once; `ModelError` when it cannot be read.

    `models` may also be a folder of the transformers library with a sequence classifier over our intent ids.
    """

    def __init__(self, models: Path | None = None) -> None:
        self.classifier = _classifier(models or intent_model_dir())
        # Tables load and expressions compile at first use; no caller should wait for that.
        self.understand("喂 你好 我年前还三千五 身份证零八一二", Topic.VERIFY, datetime(2026, 1, 5, tzinfo=UTC))

    def understand(self, text: str, topic: Topic, now: datetime) -> Understanding:
        """What `text` means as an answer under `topic`; relative dates count from `now` (aware). Same in, same out."""
        slots = parse_slots(text, now)
        if not normalise(text):
            return Understanding(text, (IntentScore("m_silence", 1.0),), slots=slots)
        plain = plain_answer(text, topic)
        if plain is not None:
            return Understanding(text, plain, _calm(plain[0].id), slots)
        found = self.classifier.classify(text, topic)
        words = danger(text)
        chance = self.classifier.calibration
        alarm = words is not None or found.danger >= (chance.danger_hinted if hinted(text) else chance.danger)
        intents = _ranked(found, words)
        if _SWEARS.search(normalise(text)) and not any(score.id == _INSULT for score in intents):
            intents = (*intents, IntentScore(_INSULT, min(_SWORN, intents[0].p)))
        if alarm and not any(score.id in DANGER for score in intents):
            intents = (*intents, IntentScore(VEILED, found.danger))
        repeated = None if alarm else echo(text, topic, slots)
        if repeated is not None and intents[0].id != repeated.id:
            intents = (repeated, *(score for score in intents if score.id in _BESIDE_AN_ECHO))
        return Understanding(text, _not_paid_tomorrow(intents, slots, now), found.emotion, slots, alarm)


def _classifier(folder: Path) -> IntentClassifier:
    if not (folder / "config.json").exists():
        return Classifier(folder)
    from voicebot.intent.hf_classifier import HuggingFaceClassifier  # pulls torch in, so only for those who want it

    return HuggingFaceClassifier(folder)


def _calm(intent: str) -> Emotion:
    """A bare yes is cooperative at most; a bare word tells little."""
    return Emotion(EmotionLabel.COOPERATIVE if intent == "ptp_confirm" else EmotionLabel.NEUTRAL, 0.6)


def _not_paid_tomorrow(intents: tuple[IntentScore, ...], slots: Slots, now: datetime) -> tuple[IntentScore, ...]:
    """Whoever names a day to come has not paid yet, however much 还 without 了 sounds like it."""
    if intents[0].id != _PAID or slots.tense is not Tense.FUTURE or slots.date is None or slots.date <= now.date():
        return intents
    return (IntentScore(_PROMISED, intents[0].p), *(score for score in intents[1:] if score.id != _PROMISED))


def _ranked(found: Classified, words: str | None) -> tuple[IntentScore, ...]:
    """Danger to self comes first when the words or the model's best guess say so; otherwise the model's order."""
    harmful = [score for score in found.intents if score.id in DANGER]
    rest = tuple(score for score in found.intents if score.id not in DANGER)
    if words is not None and not harmful:
        rest = tuple(score for score in rest if score.id != UNKNOWN)
        return (IntentScore(words, _CERTAIN), *rest)
    return (*harmful, *rest)
