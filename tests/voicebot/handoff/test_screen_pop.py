"""The screen pop tells what was said, suggests a first sentence and names what must not be said."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.dialog.discretion import gives_away
from voicebot.domain.case import Case, Creditor, Debtor, Promise, Salutation
from voicebot.domain.journal import Fact, FactKind
from voicebot.handoff.first_words import first_sentence
from voicebot.handoff.screen_pop import Situation, screen_pop, situation_of, taboos_of
from voicebot.handoff.taboos import MOST
from voicebot.intent.taxonomy import taxonomy

TODAY = dt.date(2026, 11, 21)
CASE = Case(
    id="C1",
    debtor=Debtor("D1", "王芳", Salutation.MS),
    creditor=Creditor("CR", "星河消费金融有限公司", "星河客户服务中心", "4000000001"),
    product="消费分期",
    amount_fen=350_000,
    overdue_days=12,
    as_of=TODAY,
)
INTENTS = sorted(taxonomy())
MOODS = ("neutral", "angry", "sad", "anxious", "cooperative", "confused", "sarcastic")


def facts(*steps: tuple[FactKind, dict[str, object]]) -> list[Fact]:
    return [
        Fact(seq, "2026-11-21T02:00:00+00:00", seq * 1000, kind, data) for seq, (kind, data) in enumerate(steps)
    ]


def understood(*intents: str, emotion: str = "neutral", danger: bool = False) -> tuple[FactKind, dict[str, object]]:
    scores = [{"id": intent, "p": 0.9} for intent in intents]
    return FactKind.UNDERSTOOD, {"intents": scores, "emotion": {"label": emotion, "p": 0.8}, "danger": danger}


TALK = facts(
    (FactKind.SAID, {"text": "请问是王芳女士本人吗？"}),
    (FactKind.HEARD, {"text": "是我，我要投诉。"}),
    understood("id_confirm_self", "cp_regulator", emotion="angry"),
    (FactKind.VERIFIED, {"by": "id_last4"}),
    (FactKind.PROMISED, {"date": "2026-11-23", "amount_fen": 100_000, "confirmed": True}),
    (FactKind.HEARD, {"text": "转人工！"}),
    understood("m_human", "cp_regulator", emotion="anxious"),
    (FactKind.TRANSFER_STARTED, {"reason": "complaint", "skill": "complaint", "urgent": False}),
    (FactKind.BRIEFED, {"agent": "a1", "text": "客户投诉"}),
    (FactKind.AGENT_HEARD, {"text": "您好"}),
)


def test_a_journal_is_folded_into_a_situation() -> None:
    told = situation_of(TALK)
    assert told.verified and not told.danger and (told.reason, told.skill) == ("complaint", "complaint")
    assert told.intents == ("cp_regulator", "m_human", "id_confirm_self")
    assert [(mood.ms, mood.label) for mood in told.moods] == [(2000, "angry"), (6000, "anxious")]
    assert [line.speaker for line in told.said] == ["bot", "caller", "caller", "agent"]
    assert told.promise == Promise(dt.date(2026, 11, 23), 100_000, confirmed=True) and told.briefing == "客户投诉"


def test_the_pop_greets_by_name_and_takes_the_complaint() -> None:
    pop = screen_pop(TALK, CASE, TODAY, "周敏")
    assert pop.who == "王女士"
    assert pop.first_sentence.startswith("王女士您好，我是星河客户服务中心的客服周敏") and "投诉" in pop.first_sentence
    assert {"F17"} <= {taboo.rule for taboo in pop.taboos}


def test_danger_puts_everything_else_aside() -> None:
    pop = screen_pop(facts(understood("vu_selfharm_veiled", danger=True)), CASE, TODAY)
    assert "安全" in pop.first_sentence and gives_away(pop.first_sentence) is None
    assert pop.taboos[0].rule == "F14" and pop.taboos[0].grave
    assert screen_pop(facts((FactKind.PAGED, {"reason": "x"})), CASE, TODAY).situation.danger


def test_a_promise_is_not_asked_for_twice() -> None:
    promised = (FactKind.PROMISED, {"date": "2026-11-22", "amount_fen": 350_050})
    pop = screen_pop(facts((FactKind.VERIFIED, {}), promised, understood("m_human")), CASE, TODAY)
    assert "您刚才说明天还3500.50元" in pop.first_sentence


def test_what_the_case_does_not_show_must_not_be_claimed() -> None:
    calm = Situation(verified=True)
    assert {"F04", "F05", "F12"} <= {taboo.rule for taboo in taboos_of(calm, CASE)}
    proven = dataclasses.replace(CASE, lawsuit_filed=True, credit_reported=True, visit_scheduled=True)
    assert not {"F04", "F05", "F12"} & {taboo.rule for taboo in taboos_of(calm, proven)}


def test_a_third_party_is_told_nothing_even_after_verification() -> None:
    rules = [taboo.rule for taboo in taboos_of(Situation(verified=True, intents=("tp_relation",)), CASE)]
    assert "F06" in rules and "F15" not in rules


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(INTENTS), max_size=4),
    st.sampled_from(MOODS),
    st.booleans(),
    st.sampled_from(["", "human", "complaint", "m_human", "vu_selfharm_explicit"]),
)
def test_no_first_sentence_discloses_a_debt_before_verification(
    intents: Sequence[str], mood: str, danger: bool, reason: str
) -> None:
    promise = Promise(TODAY, 100)
    sentence = first_sentence(
        "王女士", "星河客户服务中心", "周敏", reason=reason, intents=intents, mood=mood, verified=False, danger=danger,
        promise=promise, today=TODAY,
    )  # fmt: skip
    assert gives_away(sentence) is None
    situation = Situation(danger=danger, intents=tuple(intents), reason=reason)
    found = taboos_of(situation, CASE)
    assert 0 < len(found) <= MOST and [t.grave for t in found] == sorted((t.grave for t in found), reverse=True)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = ("text", "intents", "emotion", "danger", "date", "amount_fen", "confirmed", "reason", "skill", "urgent")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(FactKind), st.dictionaries(st.sampled_from(KEYS), json_values)), max_size=8))
def test_no_journal_breaks_the_pop(steps: list[tuple[FactKind, dict[str, object]]]) -> None:
    assert screen_pop(facts(*steps), CASE, TODAY).first_sentence


@pytest.mark.parametrize("case", [None, CASE])
def test_nobody_known(case: Case | None) -> None:
    pop = screen_pop((), case, TODAY)
    assert "本次通话会录音" in pop.first_sentence and pop.situation == Situation()
    assert ("请问是王芳本人吗" in pop.first_sentence) is (case is not None)
    assert gives_away(pop.first_sentence) is None
