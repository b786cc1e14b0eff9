"""The recogniser's confusions: what was counted comes out again, in its share, and nothing else."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from voicebot.intent.training.corpus import misheard_set, training_set
from voicebot.intent.training.noise import Confusions, aligned

PAIRS = [("逾期三天", "雨期三天")] * 9 + [("逾期三天", "逾期三天")]
HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x4FFF), max_size=12)


def test_pairs_go_along_sounds() -> None:
    assert aligned(list("转人工"), list("转认公")) == [("转", "转"), ("人", "认"), ("工", "公")]
    assert aligned(list("我还钱"), list("我钱")) == [("我", "我"), ("还", ""), ("钱", "钱")]


@given(HAN, HAN)
def test_an_alignment_holds_both_texts_whole(said: str, heard: str) -> None:
    pairs = aligned(list(said), list(heard))
    assert "".join(one for one, _ in pairs) == said
    assert "".join(two for _, two in pairs) == heard


def test_what_was_misheard_is_misheard_again() -> None:
    noise = Confusions(PAIRS, ["逾期三天"])
    heard = [noise.hear("逾期", random.Random(seed)) for seed in range(200)]
    assert 0.3 < sum(text == "雨期" for text in heard) / len(heard) < 0.8
    assert set(heard) <= {"雨期", "逾期"}


def test_what_is_no_character_stays() -> None:
    noise = Confusions(PAIRS, ["逾期三天"])
    assert noise.hear("(哭) ok 12", random.Random(1)).startswith("(")


def test_the_same_chance_makes_the_same_noise() -> None:
    noise = Confusions(PAIRS, [row.text for row in training_set()[:500]])
    assert noise.hear("我逾期三天了", random.Random(5)) == noise.hear("我逾期三天了", random.Random(5))


def test_confusions_were_counted_on_the_training_hands_alone() -> None:
    rows = misheard_set()
    assert len(rows) >= 2000
    assert "plain" not in {row.writer for row, _ in rows}
    assert sum(row.text != meant for row, meant in rows) / len(rows) > 0.1
