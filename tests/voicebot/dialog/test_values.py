"""What may stand in braces: for anybody nothing of the debt, by the types; for the debtor everything that is known."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from voicebot.dialog.engine import initial
from voicebot.dialog.prompts import render
from voicebot.dialog.script import Script
from voicebot.dialog.state import DialogState
from voicebot.dialog.values import DebtValues, OpenValues, open_values, values_of
from voicebot.dialog.vocabulary import DEBT_VARIABLES, OPEN_VARIABLES
from voicebot.domain.case import CallFacts, Case

from .callee import CASE, NOW


def state_of(script: Script, case: Case | None = CASE, *, verified: bool = False) -> DialogState:
    return replace(initial(script, CallFacts("call-1", NOW, case)), verified=verified)


def said(script: Script, text: str, *, verified: bool, case: Case = CASE) -> str | None:
    values = values_of(script, state_of(script, case, verified=verified), NOW)
    return render(text, values, "中性", ("循环消费",), script.telling)


def test_before_identity_there_are_open_values_alone(reminder: Script) -> None:
    values = values_of(reminder, state_of(reminder), NOW)
    assert isinstance(values, OpenValues)
    assert {name for name in DEBT_VARIABLES if values.get(name)} == set()
    assert values.get("name") == "李振海" and values.get("institution") == "示例客户服务中心"


def test_open_values_hold_no_case(reminder: Script) -> None:
    """Whatever reads them can reach no figure of the debt, however it is written."""
    values = open_values(reminder, state_of(reminder, verified=True), NOW)
    held = [getattr(values, field.name) for field in fields(values)]
    assert not any(isinstance(value, Case) for value in held)
    assert not set(values.own) & reminder.telling


def test_identity_opens_the_debt(reminder: Script) -> None:
    values = values_of(reminder, state_of(reminder, verified=True), NOW)
    assert isinstance(values, DebtValues)
    assert values.get("amount") == "三千五百元" and values.get("overdue") == "十二天"
    assert {name for name in OPEN_VARIABLES if values.get(name)} >= {"name", "person", "address", "institution"}


def test_no_case_no_proof(reminder: Script) -> None:
    state = state_of(reminder, None, verified=True)
    assert state.identified is None
    assert isinstance(values_of(reminder, state, NOW), OpenValues)


def test_a_proof_does_not_outlive_the_identity(reminder: Script) -> None:
    state = state_of(reminder, verified=True)
    assert state.identified is not None and state.identified.case == CASE
    assert replace(state, verified=False).identified is None


def test_a_sentence_with_an_unknown_figure_is_left_out(reminder: Script) -> None:
    assert said(reminder, "本金{principal}", verified=True, case=replace(CASE, principal_fen=None)) is None


@pytest.mark.parametrize("text", ["您欠{amount}", "请尽快还款", "三千五百元", "循环消费的事"])
def test_nothing_of_the_debt_before_identity(reminder: Script, text: str) -> None:
    assert said(reminder, text, verified=False) == "中性"
    assert said(reminder, text, verified=True) != "中性"


def test_an_institution_whose_name_gives_the_debt_away_is_not_named(reminder: Script) -> None:
    telling = replace(CASE, creditor=replace(CASE.creditor, neutral_name="某某催收公司"))
    assert said(reminder, "我是{institution}的助手", verified=False, case=telling) == "中性"
