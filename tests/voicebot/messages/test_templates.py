"""The wording of messages: ours is lawful, an operator's mistakes are named."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.voicebot.campaign.samples import NOON, new_case
from voicebot.compliance.gate import check_speech
from voicebot.compliance.speech_context import SpeechContext, record_of
from voicebot.domain.case import Promise
from voicebot.domain.message import MessageKind
from voicebot.messages.templates import (
    TemplateError,
    fill_in,
    load_templates,
    parse_templates,
    shipped_templates,
)

CASE = new_case(1).case
PROMISE = Promise(dt.date(2026, 11, 27), 350_050, confirmed=True)
GOOD = {kind.value: "{institution}您好" for kind in MessageKind}


def test_date_amount_and_names_are_filled_in() -> None:
    text = fill_in(shipped_templates(), MessageKind.PROMISE_RECAP, CASE, PROMISE)
    for part in ("示例客户服务中心", "演示1", "11月27日", "3500.50元", "4000000000"):
        assert part in text


@pytest.mark.parametrize("kind", shipped_templates())
def test_the_shipped_wording_may_be_said_and_tells_a_stranger_of_no_debt(kind: str) -> None:
    known = kind in tuple(MessageKind)
    text = fill_in(shipped_templates(), kind, CASE, PROMISE if known else None)
    names = (CASE.debtor.name, CASE.creditor.name, CASE.creditor.neutral_name)
    context = SpeechContext(known, "debtor" if known else "unknown", NOON.date(), record_of(CASE), names)
    if known:
        context = replace(context, case=record_of(CASE, last_promise=PROMISE))
    assert check_speech(text, "bot", context) == []
    assert not any(word in text for word in ("欠", "逾期", "还款", "贷", "催收", CASE.product, CASE.creditor.name))


def test_a_template_about_a_promise_wants_one_and_an_unknown_one_is_named() -> None:
    with pytest.raises(TemplateError, match="take another template"):
        fill_in(shipped_templates(), MessageKind.PROMISE_DUE, CASE, None)
    with pytest.raises(TemplateError, match="no wording for greeting"):
        fill_in(shipped_templates(), "greeting", CASE, None)


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("", "name: wording"),
        ("promise_recap: 您好", "promise_due"),
        ("promise_recap: 您好{sum}\npromise_due: 您好", "{sum}"),
        ("promise_recap: '您好{'\npromise_due: 您好", "bare brace"),
        ("promise_recap: [", "no YAML"),
    ],
)
def test_mistakes_are_named(source: str, named: str) -> None:
    with pytest.raises(TemplateError, match=named):
        parse_templates(source, "mine.yaml")


@given(st.text())
def test_any_text_is_wording_or_an_error_that_names_the_file(source: str) -> None:
    try:
        parse_templates(source, "mine.yaml")
    except TemplateError as error:
        assert "mine.yaml" in str(error)


def test_an_operators_file_takes_the_place_of_ours(tmp_path: Path) -> None:
    file = tmp_path / "messages.yaml"
    file.write_text("".join(f"{kind}: '{wording}'\n" for kind, wording in GOOD.items()), "utf-8")
    assert fill_in(load_templates(file), MessageKind.PROMISE_DUE, CASE, PROMISE) == "示例客户服务中心您好"
    with pytest.raises(TemplateError, match="VOICEBOT_MESSAGE_TEMPLATES"):
        load_templates(tmp_path / "missing.yaml")
