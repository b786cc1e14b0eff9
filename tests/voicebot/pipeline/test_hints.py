"""Hints: the weightiest thing first, only known intents, one line each."""

from __future__ import annotations

from voicebot.domain.understanding import Emotion, EmotionLabel, IntentScore, Understanding
from voicebot.intent.taxonomy import taxonomy
from voicebot.pipeline.hints import catalogue, hint_for


def meant(
    *intents: str, p: float = 0.9, danger: bool = False, felt: EmotionLabel = EmotionLabel.NEUTRAL
) -> Understanding:
    return Understanding("…", tuple(IntentScore(one, p) for one in intents), Emotion(felt, 0.9), danger=danger)


def test_every_intent_of_the_catalogue_exists() -> None:
    known = set(taxonomy())
    assert {intent for row in catalogue() for intent in row.hears} <= known


def test_danger_beats_a_promise() -> None:
    hint = hint_for(meant("ptp_date", "vu_selfharm_veiled"))
    assert hint is not None
    assert hint.kind == "danger"


def test_danger_by_rule_needs_no_intent() -> None:
    hint = hint_for(meant(danger=True))
    assert hint is not None
    assert hint.kind == "danger"


def test_anger_alone_asks_for_calm_but_a_complaint_is_more() -> None:
    assert getattr(hint_for(meant(felt=EmotionLabel.ANGRY)), "kind", None) == "calm"
    assert getattr(hint_for(meant("cp_regulator", felt=EmotionLabel.ANGRY)), "kind", None) == "regulator"


def test_what_is_unsure_or_small_talk_gives_no_hint() -> None:
    assert hint_for(meant("ptp_date", p=0.2)) is None
    assert hint_for(meant("m_backchannel")) is None
