"""The speech gate: what may be said to whom, held against the record, disguise and denial included."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.compliance.gate import check_speech
from voicebot.compliance.rows import check_row
from voicebot.compliance.speech_context import CaseRecord, Offer, SpeechContext, parse_context, record_of
from voicebot.compliance.wording import categories
from voicebot.domain.case import Case, Creditor, Debtor, Promise

TODAY = dt.date(2026, 11, 24)
RECORD = CaseRecord(amount_fen=860000, overdue_days=35)
DEBTOR = SpeechContext(True, "debtor", TODAY, RECORD)


def ids(text: str, context: SpeechContext = DEBTOR, speaker: str = "bot", **record: Any) -> set[str]:
    if record:
        context = dataclasses.replace(context, case=dataclasses.replace(RECORD, **record))
    return {violation.id for violation in check_speech(text, speaker, context)}


def test_the_opening_says_nothing_of_the_debt_and_passes_everywhere() -> None:
    opening = "您好，我是安信消费服务的人工智能语音助手，本次通话会录音。请问是王先生本人吗？"
    for listener in ("debtor", "third_party", "voicemail", "unknown"):
        assert ids(opening, SpeechContext(False, listener, TODAY, RECORD)) == set()


@pytest.mark.parametrize(
    "text",
    [
        "您的账单已经逾期三十五天。",
        "王先生，八千六百元什么时候还？",
        "关于您的贷款，请回电。",
        "银行委托我们催收。",
        "我们的律师会联系他。",
        "这笔钱打算什么时候处理？",
    ],
)
@pytest.mark.parametrize(
    ("listener", "category"), [("third_party", "F06"), ("voicemail", "F15"), ("unknown", "F15"), ("debtor", "F15")]
)
def test_no_debt_before_identity_nor_to_anybody_else(text: str, listener: str, category: str) -> None:
    assert category in ids(text, SpeechContext(False, listener, TODAY, RECORD))


@pytest.mark.parametrize(
    "text",
    [
        "涉及您的个人信息，核实身份以后才能说明。",
        "您问是不是他欠钱了，这个我没法回答您。",
        "请转告王先生方便时回个电话，谢谢。",
        "您没有义务替他人承担任何款项。",
        "请问您的身份证后四位是多少？",
    ],
)
def test_silence_about_the_debt_is_not_disclosure(text: str) -> None:
    for listener in ("third_party", "unknown"):
        assert ids(text, SpeechContext(False, listener, TODAY, RECORD)) == set()


@pytest.mark.parametrize(
    ("text", "record", "category"),
    [
        ("您一共应还八千六百元。", {}, None),
        ("您一共应还8600元。", {}, None),
        ("您一共应还九千元。", {}, "F13"),
        ("您一共应还八万六千元。", {}, "F13"),
        ("您已经逾期三十五天。", {}, None),
        ("您已经逾期六十五天。", {}, "F13"),
        ("您逾期一个多月了。", {}, None),
        ("您逾期半年了。", {}, "F13"),
        ("逾期已经超过三十天。", {}, None),
        ("每天的利息是四元三角。", {}, "F13"),
        ("每天的利息是四元三角。", {"daily_interest_fen": 430}, None),
        ("您上次答应十八号还一千五百元。", {}, "F13"),
        ("您上次答应十一月十八号还一千五百元。", {"last_promise": Promise(dt.date(2026, 11, 18), 150000)}, None),
        ("您上次答应十一月十八号还四千元。", {"last_promise": Promise(dt.date(2026, 11, 18), 150000)}, "F13"),
        ("我们是您的债权人。", {}, "F13"),
        ("债权人已经向法院起诉了。", {}, "F04"),
        ("债权人已经向法院起诉了。", {"lawsuit_filed": True}, None),
        ("您的逾期信息已经报送征信系统。", {}, "F05"),
        ("您的逾期信息已经报送征信系统。", {"credit_reported": True}, None),
        ("已经为您安排了上门走访。", {}, "F12"),
        ("已经为您登记了一次走访，会提前和您约时间。", {"visit_scheduled": True}, None),
        ("现在可以给您减免五百元。", {}, "F11"),
        ("现在可以给您减免五百元。", {"offer": Offer(50000, dt.date(2026, 11, 30))}, None),
        ("现在可以给您减免八百元。", {"offer": Offer(50000, dt.date(2026, 11, 30))}, "F11"),
        ("减免方案有效期到十一月二十六日。", {"offer": Offer(50000, dt.date(2026, 11, 30))}, "F11"),
        ("五百元减免现在还能用。", {"offer": Offer(50000, dt.date(2026, 11, 20))}, "F11"),
        ("您付四千元就可以全部结清。", {}, "F11"),
    ],
)
def test_assertions_need_a_record(text: str, record: dict[str, Any], category: str | None) -> None:
    assert ids(text, **record) == ({category} if category else set())


@pytest.mark.parametrize(
    ("category", "text"),
    [
        ("F01", "不还钱当心你的狗命"),
        ("F01", "我知道你女儿在哪个学校念书，你自己想想"),
        ("F02", "像你这种人渣就不配借钱"),
        ("F03", "您好，我是朝阳区公安分局的王警官"),
        ("F04", "再不还就送你进监狱"),
        ("F05", "您的小孩将来考不了公务员"),
        ("F07", "您先替他垫两千元吧"),
        ("F08", "我会一天给你打八十个电话"),
        ("F09", "去刷信用卡套点现金出来"),
        ("F10", "请您把手机收到的验证码念给我"),
        ("F11", "只有最后三个名额了"),
        ("F12", "我会去您单位找您的领导谈谈"),
        ("F14", "想死就去死，别耽误还钱"),
        ("F15", "请把您完整的身份证号码念一遍"),
        ("F16", "我是真人，不是机器人"),
        ("F17", "您投诉也不会有结果"),
        ("F18", "您刚才没否认就等于承认了"),
    ],
)
def test_every_category_of_wording(category: str, text: str) -> None:
    assert category in ids(text)


@pytest.mark.parametrize(
    "text",
    [
        "我们不会联系您的单位和家人。",
        "我不是律师，建议您咨询专业律师。",
        "您说有人上门威胁您，建议您保留证据并报警。",
        "普通的借款逾期是民事纠纷，不会坐牢。",
        "您反映有人说要打断您的腿，我帮您登记投诉。",
        "我们不会向您索要验证码和密码。",
        "还清以后我们不能删除征信记录。",
        "请不要通过借新还旧的方式处理。",
        "目前没有为您安排上门走访。",
        "您可以随时投诉，也可以转人工。",
        "我是人工智能语音助手，不是真人。",
        "您的身体最重要，今天我们先不谈还款。",
        "听到您生病住院，我很难过，请您先养好身体。",
        "孩子上学需要花钱，我理解。",
    ],
)
def test_denial_quotation_and_kindness_pass(text: str) -> None:
    assert ids(text) == set()


@pytest.mark.parametrize(
    ("category", "text"),
    [
        ("F04", "再不还你就等着坐 牢"),
        ("F04", "zuo牢 你想想"),
        ("F02", "你这个l赖"),
        ("F10", "加我VX，给你减"),
        ("F10", "加我ｗｘ"),
        ("F03", "我是公 安 局 的"),
        ("F13", "你一共欠了8w6"),
        ("F17", "投 ~ 诉 没 用"),
    ],
)
def test_disguises_are_seen_through(category: str, text: str) -> None:
    assert category in ids(text, speaker="agent")


def test_only_a_bot_may_not_call_itself_a_person() -> None:
    assert ids("我是人工客服小林，您请讲。", speaker="bot") == {"F16"}
    assert ids("我是人工客服小林，您请讲。", speaker="agent") == set()


def test_spans_point_at_what_was_said() -> None:
    text = "您好。 您一共应还 9000 元，再不还就坐 牢。"
    found = {each.id: text[each.start : each.end] for each in check_speech(text, "bot", DEBTOR)}
    assert found["F13"].startswith("9000") and found["F04"] == "坐 牢"


def test_a_live_case_is_its_own_record() -> None:
    creditor = Creditor("c", "安信银行", "安信消费服务", "4008001234")
    case = Case("1", Debtor("d", "王强"), creditor, "消费贷", 350000, 12, TODAY, lawsuit_filed=True)
    context = SpeechContext(True, "debtor", TODAY, record_of(case))
    assert ids("应还三千五百元，逾期十二天，债权人已经起诉。", context) == set()
    assert ids("应还三千六百元", context) == {"F13"}


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.text("您你不还款钱一二百千万元天月日号坐牢，。 wkv欠逾期减免.0123", max_size=40))
def test_any_text_gets_an_answer_with_spans_inside_it(text: str) -> None:
    for verified in (True, False):
        for each in check_speech(text, "bot", SpeechContext(verified, "debtor", TODAY, RECORD)):
            assert 0 <= each.start < each.end <= len(text) and each.reason


@pytest.mark.parametrize(
    "text",
    [f"一共{'9' * 400}元", f"逾期{'9' * 400}天", f"一共{'万' * 90}元", f"一共{'九' * 400}元", f"{'9' * 40}月3号还款"],
)
def test_figures_beyond_all_measure_are_judged_too(text: str) -> None:
    assert "F13" in ids(text)


def test_it_is_fast_enough_to_stand_before_every_sentence() -> None:
    text = "受安信银行委托，和您核对消费贷账单：截至今天一共应还八千六百元，逾期三十五天，请问您什么时候方便处理？"
    check_speech(text, "bot", DEBTOR)
    began = time.process_time()
    for _ in range(50):
        check_speech(text, "bot", DEBTOR)
    assert (time.process_time() - began) / 50 < 0.003


def test_rows() -> None:
    context = {
        "identity_verified": True,
        "listener": "debtor",
        "today": "2026-11-24",
        "case": {
            "amount_fen": 860000,
            "overdue_days": 35,
            "lawsuit_filed": False,
            "credit_reported": False,
            "visit_scheduled": False,
            "offer": {"waive_fen": 50000, "valid_until": "2026-11-30"},
            "last_promise": {"date": "2026-11-18", "amount_fen": 150000},
            "daily_interest_fen": 430,
            "entrusted": True,
        },
    }
    rows: list[dict[str, Any]] = [
        {"id": "a", "speaker": "bot", "text": "应还九千元", "context": context},
        {"id": "b", "speaker": "bot", "text": "好的，再见。", "context": context},
        {"id": "c", "speaker": "bot", "text": "好", "context": {"today": "never"}},
        {"id": "d", "speaker": "bot", "context": context},
        {"id": "e", "speaker": "bot", "text": "好", "context": {**context, "case": {"amount_fen": "many"}}},
    ]
    told = [check_row(row) for row in rows]
    assert told[0] == {
        "id": "a",
        "violations": [{"id": "F13", "span": [2, 5], "reason": "与应还金额记录不符"}],
    }
    assert told[1] == {"id": "b", "violations": []}
    assert all("error" in row for row in told[2:])
    assert parse_context(context).case == dataclasses.replace(
        RECORD,
        offer=Offer(50000, dt.date(2026, 11, 30)),
        last_promise=Promise(dt.date(2026, 11, 18), 150000),
        daily_interest_fen=430,
    )


def test_every_category_of_the_taxonomy_is_covered() -> None:
    """F06 is disclosure (disclosure.py); all others have wording of their own."""
    assert [each.id for each in categories()] == [f"F{n:02d}" for n in range(1, 19) if n != 6]
