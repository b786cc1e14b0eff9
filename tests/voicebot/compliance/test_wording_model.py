"""The wording model: wording nobody listed, sound-alikes, what it may not overrule, and a file that is not one."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from voicebot.compliance.gate import check_speech, check_with, warm
from voicebot.compliance.grams import grams, hashes, sound
from voicebot.compliance.speech_context import CaseRecord, SpeechContext
from voicebot.compliance.training import fit, sentences, tally, with_model
from voicebot.compliance.wording_model import WordingModel, WordingModelError, shipped_model

TODAY = dt.date(2026, 11, 24)
DEBTOR = SpeechContext(True, "debtor", TODAY, CaseRecord(860000, 35))


@pytest.mark.parametrize(
    ("category", "text"),
    [
        ("F01", "夜里你可把门锁紧喽，我说到做到。"),
        ("F08", "我手里号码多得很，够你拉黑到明年。"),
        ("F14", "老头子一个，快入土了还借钱。"),
        ("F17", "合同你哪有资格看。"),
    ],
)
def test_it_tells_what_no_pattern_lists(category: str, text: str) -> None:
    assert check_with(None, text, "agent", DEBTOR) == []
    assert [each.id for each in check_speech(text, "agent", DEBTOR)] == [category]


def test_sounds_have_no_tone_and_figures_no_value() -> None:
    assert sound("牢") == sound("老") == "lao" and sound("x") == "x"
    assert {name for name in grams("坐牢", "debtor") if name[0] == "p"} == {
        name for name in grams("做老", "debtor") if name[0] == "p"
    }
    assert hashes("应还三千五百元", "debtor") == hashes("应还八万元", "debtor")
    assert hashes("应还三千五百元", "debtor") != hashes("应还三千五百元", "unknown")


def test_true_figures_are_left_to_the_record_and_so_are_false_ones() -> None:
    assert check_speech("一共是八千六百元，逾期三十五天。", "bot", DEBTOR) == []
    assert {"F13"} <= {each.id for each in check_speech("您一共应还九千元。", "bot", DEBTOR)}
    stranger = SpeechContext(False, "third_party", TODAY, CaseRecord(860000, 35))
    assert "F06" in {each.id for each in check_speech("好的，谢谢您，他应还八千六百元，再见。", "bot", stranger)}


def test_it_keeps_what_it_learnt_in_a_file_and_refuses_any_other(tmp_path: Path) -> None:
    model = shipped_model()
    model.save(tmp_path / "gate.npz")
    again = WordingModel.load(tmp_path / "gate.npz")
    assert again.threshold == model.threshold and np.array_equal(again.weights, model.weights)
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 not a model")
    for name in ("broken.npz", "missing.npz"):
        with pytest.raises(WordingModelError, match=r"voicebot\.compliance\.training"):
            WordingModel.load(tmp_path / name)


def test_the_shipped_gate_keeps_its_measure_on_sentences_it_did_not_learn() -> None:
    warm()
    unseen = [row for row in sentences() if row.hand == "c"]
    result = tally(unseen, with_model(shipped_model()))
    assert result.told >= 0.94 * result.violating and result.blocked <= 0.08 * result.lawful


def test_training_learns_the_difference_that_it_is_shown() -> None:
    rows = [row for row in sentences() if row.hand == "taxonomy"]
    model = fit(rows, 0.5, rounds=15)
    chances = model.probabilities("去别的平台借一笔", "debtor")
    assert max(chances, key=lambda label: chances[label]) == "F09" and sum(chances.values()) == pytest.approx(1)
