"""Scorecards: answers become points, fatal ones nothing; any bytes are a scorecard or say what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.quality import CallCheck, Finding, FindingKind
from voicebot.quality.agreement import kappa
from voicebot.quality.automatic import AUTOMATIC
from voicebot.quality.check import check_call
from voicebot.quality.scorecard import ScorecardError, read_scorecard, scorecards, shipped

CARD = b"""
scorecard: small
title: Small
questions:
  - {id: a, title: A, weight: 30}
  - {id: b, title: B, weight: 10, fatal: true}
  - {id: c, title: C, weight: 60, auto: opening}
"""
AT = "2026-11-24T02:00:00+00:00"


def facts(*told: tuple[FactKind, dict[str, object]]) -> list[Fact]:
    return [Fact(seq, AT, 1000 * seq, kind, data) for seq, (kind, data) in enumerate(told)]


@pytest.mark.parametrize(
    ("answers", "score", "fatal"),
    [("yyy", 100, False), ("nyy", 70, False), ("nya", 25, False), ("yny", 0, True), ("aaa", 100, False)],
)
def test_points(answers: str, score: float, fatal: bool) -> None:
    given_ = {name: {"y": "yes", "n": "no", "a": "na"}[short] for name, short in zip("abc", answers, strict=True)}
    assert read_scorecard(CARD, "small.yaml").score(given_) == (score, fatal)


def test_every_question_is_answered() -> None:
    with pytest.raises(ValueError, match="'b'"):
        read_scorecard(CARD, "small.yaml").score({"a": "yes", "c": "yes"})


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(ScorecardError, match=r"mine\.yaml"):
        read_scorecard(data, "mine.yaml")


@pytest.mark.parametrize("wrong", [b"auto: nothing_such", b"weight: -1", b"weight: true"])
def test_questions_that_make_no_sense(wrong: bytes) -> None:
    with pytest.raises(ScorecardError):
        read_scorecard(b"scorecard: s\nquestions:\n  - {id: a, title: A, weight: 5, " + wrong + b"}\n", "mine.yaml")


def test_the_shipped_ones_weigh_a_hundred(tmp_path: object) -> None:
    assert {card.id for card in shipped().values()} == {"standard", "agent"}
    assert all(sum(question.weight for question in card.questions) in (100, 120) for card in shipped().values())


def test_an_installation_has_its_own(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "scorecards").mkdir()
    (tmp_path / "scorecards" / "small.yaml").write_bytes(CARD)
    assert scorecards(tmp_path)["small"].title == "Small"


def test_kappa_of_the_textbook() -> None:
    # Two readers of fifty applications: both yes 20, first alone 5, second alone 10, both no 15.
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert kappa(pairs) == pytest.approx(0.4)


@given(st.lists(st.tuples(st.sampled_from("yna"), st.sampled_from("yna")), min_size=1))
def test_kappa_is_at_most_one_and_one_for_twins(pairs: list[tuple[str, str]]) -> None:
    found, twins = kappa(pairs), kappa([(a, a) for a, _ in pairs])
    assert found is None or -1 <= found <= 1 + 1e-12
    assert twins is None or twins == pytest.approx(1)


EMPTY = CallCheck("c", None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "told", "answer"),
    [
        ("opening", [(FactKind.SAID, {"text": "我是人工智能语音助手，本次通话会录音"})], "yes"),
        ("opening", [(FactKind.SAID, {"text": "您好，请问是张伟吗"})], "no"),
        ("opening", [], "na"),
        ("danger_handled", [(FactKind.UNDERSTOOD, {"danger": True})], "no"),
        ("danger_handled", [(FactKind.UNDERSTOOD, {"danger": True}), (FactKind.PAGED, {})], "yes"),
        ("human_when_asked", [(FactKind.UNDERSTOOD, {"intents": [{"id": "m_human", "p": 1}]})], "no"),
        ("promise_confirmed", [(FactKind.PROMISED, {"confirmed": False})], "no"),
        ("promise_confirmed", [(FactKind.PROMISED, {"confirmed": False}),
                               (FactKind.PROMISED, {"confirmed": True})], "yes"),
        ("answers_soon", [(FactKind.LATENCY, {"turn_ms": 400})] * 9 + [(FactKind.LATENCY, {"turn_ms": 2000})], "yes"),
        ("answers_soon", [(FactKind.LATENCY, {"turn_ms": 2000})], "no"),
    ],
)  # fmt: skip
def test_what_the_machine_answers(name: str, told: list[tuple[FactKind, dict[str, object]]], answer: str) -> None:
    assert AUTOMATIC[name](facts(*told), EMPTY) == answer


def test_what_was_held_back_is_no_violation() -> None:
    def check(kind: FindingKind) -> CallCheck:
        return CallCheck("c", None, (Finding(1, kind, "bot", ("F15",), "…", 0, 0),))  # type: ignore[arg-type]

    assert AUTOMATIC["no_violation"]([], check(FindingKind.BLOCKED)) == "yes"
    assert AUTOMATIC["no_disclosure"]([], check(FindingKind.SLIPPED)) == "no"
    assert AUTOMATIC["no_violation"]([], check(FindingKind.AGENT)) == "no"


def test_both_sides_of_a_call_are_looked_at() -> None:
    import datetime as dt

    told = facts(
        (FactKind.ANSWERED, {}),
        (FactKind.SAID, {"text": "您好，请问是张先生本人吗？", "heard_ms": 900}),
        (FactKind.NOTE, {"text": "speech gate", "blocked": "您欠的三千元今天必须还", "rules": ["F15"]}),
        (FactKind.SAID, {"text": "您欠我们三千元贷款，已经逾期了。", "heard_ms": 900}),
        (FactKind.JOINED, {"agent": "a1"}),
        (FactKind.AGENT_HEARD, {"text": "你再不还钱就打断你的腿", "start_ms": 4000, "end_ms": 5000}),
    )
    check = check_call("c", told, None, dt.datetime(2026, 11, 24, tzinfo=dt.UTC))
    assert [(finding.seq, finding.kind.value) for finding in check.findings] == [
        (2, "blocked"), (3, "slipped"), (5, "agent"),
    ]  # fmt: skip
    assert "F01" in check.findings[2].rules
    assert (check.sentences, check.agent_sentences, check.slipped) == (2, 1, 1)
    assert check.risk > 80
