"""weigh: what record, patterns and model say together; and the figures that only the record can judge."""

from __future__ import annotations

import datetime as dt

import pytest

from voicebot.compliance.figures import Kind, find_figures
from voicebot.compliance.gate import check_speech
from voicebot.compliance.speech_context import CaseRecord, Offer, SpeechContext
from voicebot.compliance.speech_text import read_speech
from voicebot.compliance.weighing import Evidence, weigh
from voicebot.domain.case import Promise

TODAY = dt.date(2026, 11, 24)
NOTHING = frozenset[str]()


def debtor(**record: object) -> SpeechContext:
    return SpeechContext(True, "debtor", TODAY, CaseRecord(860000, 35, **record))  # type: ignore[arg-type]


def ids(text: str, context: SpeechContext, speaker: str = "agent") -> set[str]:
    return {each.id for each in check_speech(text, speaker, context)}


def chances(**given: float) -> dict[str, float]:
    return {f"F{n:02d}": 0.001 for n in range(1, 19)} | given


def test_nothing_found_is_lawful_and_facts_stand_whatever_the_model_thinks() -> None:
    assert weigh(Evidence(NOTHING, None, NOTHING, 0.9, chances(), NOTHING)) == set()
    assert weigh(Evidence({"F13"}, None, NOTHING, 0.99, chances(), NOTHING)) == {"F13"}
    assert weigh(Evidence(NOTHING, "F15", NOTHING, 0.99, chances(), NOTHING)) == {"F15"}


def test_a_pattern_counts_unless_the_sentence_is_surely_lawful() -> None:
    assert weigh(Evidence(NOTHING, None, {"F03"}, 0.6, chances(F03=0.3), NOTHING)) == {"F03"}
    assert weigh(Evidence(NOTHING, None, {"F03"}, 0.95, chances(F03=0.03), NOTHING)) == set()


def test_the_likelier_category_wins_over_a_pattern_that_hardly_fits() -> None:
    suspects = frozenset(chances())
    assert weigh(Evidence(NOTHING, None, {"F02"}, 0.05, chances(F14=0.8, F02=0.05), suspects)) == {"F14"}
    assert weigh(Evidence(NOTHING, None, {"F02"}, 0.05, chances(F14=0.4, F02=0.3), suspects)) == {"F02", "F14"} or (
        weigh(Evidence(NOTHING, None, {"F02"}, 0.05, chances(F14=0.4, F02=0.3), suspects)) == {"F02"}
    )


@pytest.mark.parametrize(
    ("text", "record", "found"),
    [
        ("八千多块钱，慢慢还。", {}, set()),
        ("您一共欠了九千多块钱。", {}, {"F13"}),
        ("一天罚你三十，自己算。", {}, {"F13"}),
        ("每天利息四块三。", {"daily_interest_fen": 430}, set()),
        ("逾期一个月零五天了。", {}, set()),
        ("三个多月没还了。", {}, {"F13"}),
        ("你拖了快半年了。", {}, {"F13"}),
        ("我司是您的债权人。", {}, {"F13"}),
        ("我司是您的债权人。", {"entrusted": False}, set()),
        ("您的异议已受理，核实期间我们暂停联系。", {}, set()),
        ("您十八号说还一千五，是不是有变化？", {"last_promise": Promise(dt.date(2026, 11, 18), 150000)}, set()),
        ("减免五百，三十号前还八千一就结清。", {"offer": Offer(50000, dt.date(2026, 11, 30))}, set()),
    ],
)
def test_figures_and_facts_are_held_against_the_record(text: str, record: dict[str, object], found: set[str]) -> None:
    assert ids(text, debtor(**record)) == found


def test_rough_amounts_are_ranges() -> None:
    (figure,) = [each for each in find_figures("欠了八千多块", TODAY) if each.kind is Kind.AMOUNT]
    assert (figure.low, figure.high) == (800000, 900000)


def test_a_dot_inside_a_word_is_a_disguise_and_a_full_stop_a_pause() -> None:
    assert read_speech("您的征.信").text == "您的征信"
    assert read_speech("您好。再见").text == "您好，再见"


def test_a_second_violation_beside_a_wrong_figure_is_told_too() -> None:
    assert ids("您一共应还九千元，再不还就坐牢。", debtor()) == {"F13", "F04"}


def test_whoever_must_not_hear_of_the_debt_is_told_of_one_violation_once() -> None:
    stranger = SpeechContext(False, "third_party", TODAY, CaseRecord(860000, 35))
    assert ids("他欠了三万八，两个月没还。", stranger) == {"F06"}
    assert "F06" not in ids("先从你这边转一千过来，今天就不找你了。", stranger)


def test_an_agent_may_say_that_a_person_speaks() -> None:
    assert ids("我是真人，工号三零二一，您有什么问题跟我说。", debtor(), "agent") == set()
    assert ids("我是真人，您放心。", debtor(), "bot") == {"F16"}
