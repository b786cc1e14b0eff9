"""The page of figures: per-class shares, confusions and calibration of a handful of utterances worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.domain.understanding import Emotion, EmotionLabel, IntentScore, Understanding
from voicebot.intent.training.corpus import Utterance, heard_set
from voicebot.intent.training.report import confusions, page, per_class, plot, reliability
from voicebot.intent.training.share import Share


def _pair(meant: str, taken: str, p: float, felt: str = "neutral") -> tuple[Utterance, Understanding]:
    said = Understanding("话", (IntentScore(taken, p),), Emotion(EmotionLabel(felt)))
    return Utterance("话", (meant,), "neutral", "any", "nobody"), said


PAIRS = [
    _pair("m_human", "m_human", 0.95),
    _pair("m_human", "m_human", 0.93),
    _pair("m_human", "dnc_stop", 0.35, "angry"),
    _pair("dnc_stop", "dnc_stop", 0.38),
]


def test_precision_recall_and_f1_of_each_class() -> None:
    stop, human = per_class([row.labels[0] for row, _ in PAIRS], [said.top for _, said in PAIRS])
    assert (stop.id, stop.precision, stop.recall) == ("dnc_stop", Share(1, 2), Share(1, 1))
    assert (human.id, human.precision, human.recall) == ("m_human", Share(2, 2), Share(2, 3))
    assert stop.f1 == pytest.approx(2 / 3) and human.f1 == pytest.approx(0.8)


def test_confusions_name_what_was_meant_first() -> None:
    assert confusions(PAIRS) == [("m_human", "dnc_stop", 1)]


def test_reliability_holds_promise_against_outcome() -> None:
    (low, half), (high, all_right) = reliability(PAIRS)
    assert low == pytest.approx(0.365) and half == Share(1, 2)
    assert high == pytest.approx(0.94) and all_right == Share(2, 2)


@pytest.mark.parametrize(
    ("share", "low", "high"), [(Share(0, 0), 0, 1), (Share(0, 10), 0, 0.278), (Share(50, 100), 0.404, 0.596)]
)
def test_intervals_are_wilsons(share: Share, low: float, high: float) -> None:
    assert share.interval == pytest.approx((low, high), abs=0.001)


def test_the_page_holds_every_part() -> None:
    text = page("figures here", PAIRS, "heard here")
    for part in ("figures here", "heard here", "m_human", "| m_human | dnc_stop | 1 |", "## Calibration", "neutral"):
        assert part in text


def test_the_heard_sample_is_of_the_development_hand() -> None:
    rows = heard_set()
    assert len(rows) >= 200
    assert {row.writer for row, _ in rows} == {"plain"}
    assert any(row.text != clean for row, clean in rows)


@pytest.mark.slow
def test_pictures_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot(tmp_path, PAIRS)
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [
        "understanding-calibration.png", "understanding-confusions.png", "understanding-intents.png",
    ]
