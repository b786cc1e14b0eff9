"""Which intents are accepted, how readers are mixed, what a broken model file says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from voicebot.domain.understanding import UNKNOWN, EmotionLabel
from voicebot.intent.classifier import CALIBRATION_FILE, MODEL_FILE, Calibration, Classifier, accepted, mixed
from voicebot.intent.network import READERS, Network
from voicebot.intent.understander import Understander
from voicebot.intent.vocabulary import ModelError

INTENTS = ("ptp_date", "dl_busy", "m_human")
CALM = Calibration(abstain=0.3, second=0.25, beside=0.6)


def _ids(chances: list[float], beside: list[float] | None = None) -> list[str]:
    judged = np.array(beside, np.float32) if beside else None
    return [score.id for score in accepted(INTENTS, np.array(chances, np.float32), CALM, judged)]


def test_a_likely_second_intent_is_accepted_an_unlikely_one_not() -> None:
    assert _ids([0.5, 0.3, 0.2]) == ["ptp_date", "dl_busy"]
    assert _ids([0.9, 0.06, 0.04]) == ["ptp_date"]


def test_what_is_meant_beside_the_first_is_accepted_though_its_share_is_small() -> None:
    assert _ids([0.9, 0.06, 0.04], [0.9, 0.1, 0.7]) == ["ptp_date", "m_human"]


def test_an_intent_beside_is_never_surer_than_the_first() -> None:
    best, other = accepted(INTENTS, np.array([0.5, 0.1, 0.4], np.float32), CALM, np.array([0.2, 0.2, 0.99], np.float32))
    assert best.id == "ptp_date" and other.p <= best.p


def test_too_little_of_everything_is_unknown() -> None:
    assert _ids([0.29, 0.28, 0.27])[0] == UNKNOWN


def test_mixing_with_one_share_is_that_reader_alone() -> None:
    logits = np.array([[1.0, 2.0, 4.0], [9.0, 1.0, 1.0], [0.0, 0.0, 0.0]], np.float32)
    assert mixed(logits, (0, 1, 0)).argmax() == 0
    assert np.exp(mixed(logits, (1, 0, 0))).sum() == pytest.approx(1, abs=1e-5)


def test_the_readers_of_the_shipped_graph_disagree_somewhere(understander: Understander) -> None:
    classifier = understander.classifier
    assert isinstance(classifier, Classifier)
    for text in ("还要还多少", "我下周五还你们两千"):
        out = classifier.network.run(classifier.words.encode(text, "debt"))
        assert out.intents.shape == (len(READERS), len(classifier.words.intents))
        assert not np.allclose(out.intents[0], out.intents[1]) and not np.allclose(out.intents[1], out.intents[2])


def test_words_that_made_the_emotion_are_told(understander: Understander) -> None:
    emotion = understander.classifier.classify("你们有完没完 烦死了", "any").emotion
    assert emotion.label is EmotionLabel.ANGRY and emotion.cues
    assert all(cue.removeprefix("says ") in "你们有完没完烦死了" for cue in emotion.cues)


@pytest.mark.parametrize("text", ["", "?", "x" * 500, "\x00", "嗯" * 300, "🙂🙂"])
def test_anything_can_be_classified(text: str, understander: Understander) -> None:
    assert understander.classifier.classify(text, "any").intents


def test_a_graph_that_is_none_names_its_remedy(tmp_path: Path) -> None:
    (tmp_path / MODEL_FILE).write_bytes(b"not a graph")
    with pytest.raises(ModelError, match="make train-intent"):
        Network(tmp_path / MODEL_FILE)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"shares": 1, "colour": "red"}'])
def test_a_broken_calibration_names_its_remedy(text: str, tmp_path: Path) -> None:
    (tmp_path / CALIBRATION_FILE).write_text(text)
    with pytest.raises(ModelError, match="make train-intent"):
        Calibration.load(tmp_path / CALIBRATION_FILE)


def test_calibration_is_written_as_it_is_read(tmp_path: Path) -> None:
    kept = Calibration(shares=(0.5, 0.3, 0.2), beside=0.4)
    kept.save(tmp_path / CALIBRATION_FILE)
    assert Calibration.load(tmp_path / CALIBRATION_FILE) == kept
    assert json.loads((tmp_path / CALIBRATION_FILE).read_text())["shares"] == [0.5, 0.3, 0.2]


def test_the_graph_is_small(understander: Understander) -> None:
    from voicebot.config import models_dir

    assert (models_dir() / MODEL_FILE).stat().st_size < 8_000_000
