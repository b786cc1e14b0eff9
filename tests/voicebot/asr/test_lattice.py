"""Spikes to characters: the language model decides between what sounds alike."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from voicebot.asr.embedded import readings_of_rare
from voicebot.asr.language_model import LanguageModel
from voicebot.asr.lattice import Beam, HotWords, Slot, Spikes, Syllables
from voicebot.config import models_dir

TOKENS = ["<blank>", "a1", "an1", "an4", "ba1", "ba2"]


@pytest.fixture(scope="module")
def wording() -> LanguageModel:
    return LanguageModel.load(models_dir() / "embedded-lm.gz")


def frames(*rows: dict[str, float]) -> NDArray[np.float32]:
    """ln P per frame; what is not given goes to the blank."""
    out = np.full((len(rows), len(TOKENS)), 1e-6)
    for row, given in zip(out, rows, strict=True):
        for token, p in given.items():
            row[TOKENS.index(token)] = p
        row[0] = 1 - sum(given.values())
    return np.log(out).astype(np.float32)


def heard(scores: NDArray[np.float32]) -> list[str]:
    spikes = Spikes(Syllables(TOKENS))
    return [slot.sounds[0][0] for slot in spikes.feed(scores, 0) + spikes.flush()]


def test_tones_are_summed_out() -> None:
    assert heard(frames({"ba1": 0.4, "ba2": 0.45}, {})) == ["ba"]


def test_a_syllable_over_several_frames_is_one_and_a_blank_between_makes_two() -> None:
    assert heard(frames({"ba1": 0.9}, {"ba1": 0.8}, {})) == ["ba"]
    assert heard(frames({"ba1": 0.9}, {}, {"ba1": 0.9}, {})) == ["ba", "ba"]


def test_the_tail_of_a_spike_is_not_a_second_syllable() -> None:
    assert heard(frames({"ba1": 0.9}, {"ba1": 0.3}, {"ba1": 0.2}, {})) == ["ba"]


def test_pieces_of_any_size_give_the_same_slots() -> None:
    scores = frames({}, {"a1": 0.6}, {"a1": 0.9}, {}, {"an4": 0.3}, {"an1": 0.7}, {"ba2": 0.9}, {})
    spikes = Spikes(Syllables(TOKENS))
    pieces = [slot for i in range(len(scores)) for slot in spikes.feed(scores[i : i + 1], i)] + spikes.flush()
    whole = Spikes(Syllables(TOKENS))
    assert pieces == whole.feed(scores, 0) + whole.flush()
    assert [slot.frame for slot in pieces] == [2, 5, 6]


def slots(*syllables: str) -> list[Slot]:
    quiet = dict.fromkeys("12345", -3.5)
    return [Slot(i, ((s[:-1], -0.05, quiet | {s[-1]: -0.1}),), -6.0) for i, s in enumerate(syllables)]


def read(model: LanguageModel, pinyin: str, hot: tuple[str, ...] = ()) -> str:
    beam = Beam(model, HotWords(hot), readings_of_rare(hot, model))
    for slot in slots(*pinyin.split()):
        beam.extend(slot)
    return beam.final().text[1:]


@pytest.mark.parametrize(
    ("pinyin", "text"),
    [
        ("huan2 kuan3", "还款"),
        ("wo3 xia4 zhou1 wu3 huan2 san1 qian1 kuai4 qian2", "我下周五还三千块钱"),
        ("hai2 mei2 fa1 gong1 zi1", "还没发工资"),
        ("zhuan3 ren2 gong1", "转人工"),
        ("er4 san1 yao1 wu3", "二三幺五"),
        ("ni2 da3 cuo4 le5", "你打错了"),
    ],
)
def test_the_beam_reads_what_people_say(wording: LanguageModel, pinyin: str, text: str) -> None:
    assert read(wording, pinyin) == text


def test_hot_words_win_among_homophones(wording: LanguageModel) -> None:
    pinyin = "wo3 shi4 pei2 mu4 xin1"
    assert "裴沐昕" not in read(wording, pinyin)
    assert read(wording, pinyin, ("裴沐昕",)) == "我是裴沐昕"


def test_a_slot_that_is_likely_nothing_is_dropped(wording: LanguageModel) -> None:
    first, last = slots("zai4", "jian4")
    doubtful = Slot(1, (("lv", -2.0, {"4": -0.1}),), -0.15)
    beam = Beam(wording, HotWords(()), {})
    for slot in (first, doubtful, last):
        beam.extend(slot)
    assert beam.final().text[1:] == "再见"


def test_the_language_model_is_a_distribution(wording: LanguageModel) -> None:
    """Probabilities over all characters sum to one in any context (up to the rounding of the file)."""
    for history in ("^", "^我", "还款", "下周"):
        chain = wording.context(history)
        total = sum(np.exp(wording.score(char, chain)) for char in wording.characters())
        assert total == pytest.approx(1, abs=0.06), history


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "embedded-lm.gz"
    path.write_bytes(b"no gzip at all")
    with pytest.raises(ValueError, match="make train-asr"):
        LanguageModel.load(path)
