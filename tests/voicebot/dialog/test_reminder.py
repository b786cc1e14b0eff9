"""The shipped reminder: the flow, every global handler, the promise lock, silence, failed transfers."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from voicebot.dialog.actions import (
    BookCallback,
    HangUp,
    PageSupervisor,
    RecordPromise,
    StopContact,
    Transfer,
    Verified,
)
from voicebot.dialog.engine import step
from voicebot.dialog.events import Heard, KeyPressed, MachineAnswered
from voicebot.dialog.script import Script
from voicebot.dialog.state import DialogState
from voicebot.domain.understanding import Tense, Topic

from .callee import CASE, NOW, TODAY, Callee, meaning

FRIDAY = dt.date(2026, 11, 27)
NEXT_FRIDAY = dt.date(2026, 12, 4)


def test_opening_names_institution_ai_and_recording_and_asks_for_the_person(reminder: Script) -> None:
    call = Callee(reminder).answers()
    assert "示例客户服务中心" in call.words and "人工智能" in call.words and "录音" in call.words
    assert call.words.endswith("请问是李振海先生本人吗？")
    assert call.listening is not None and call.listening.topic is Topic.OPEN


def test_bill_is_stated_after_identity_only(reminder: Script) -> None:
    call = Callee(reminder).answers().say("我是", "id_confirm_self")
    assert call.listening is not None and call.listening.topic is Topic.VERIFY
    assert not call.state.verified
    call.say("二三一五", "id_verify_answer")
    assert call.did(Verified) and "三千五百元，其中息费三百元" in call.words and "逾期十二天" in call.words


def test_birthday_and_keys_serve_as_well(reminder: Script) -> None:
    assert Callee(reminder).answers().say("是", "m_affirm").say("八月十二", "id_verify_answer").state.verified
    call = Callee(reminder).answers().say("是", "m_affirm")
    for digit in "2315":
        call.tell(KeyPressed(call.state.facts.started_at, digit))
    assert call.state.verified


def test_two_wrong_factors_close_neutrally(reminder: Script) -> None:
    call = Callee(reminder).answers().say("我是", "id_confirm_self")
    call.say("一一一一", "id_verify_answer").say("二二二二", "id_verify_answer")
    assert call.did(HangUp) and call.disposition == "third_party" and not call.state.verified
    call = Callee(reminder).answers().say("我是", "id_confirm_self")
    call.say("一一一一", "id_verify_answer").say("二三一五", "id_verify_answer")
    assert call.state.verified


def test_refusing_identity_twice_ends_without_the_debt(reminder: Script) -> None:
    call = Callee(reminder).answers().say("我是", "id_confirm_self")
    call.say("凭什么告诉你", "id_verify_refuse").say("不说", "id_verify_refuse")
    assert call.did(HangUp) and call.disposition == "refusal" and not call.state.verified


def test_promise_is_read_back_with_weekday_and_amount_and_confirmed(reminder: Script) -> None:
    call = Callee(reminder).verified().say("周五还", "ptp_date", date=FRIDAY)
    assert "十一月二十七日星期五" in call.words and "三千五百元" in call.words
    assert not call.did(RecordPromise)
    call.say("对", "m_affirm")
    promise = call.did(RecordPromise)[-1].promise
    assert (promise.date, promise.amount_fen, promise.confirmed) == (FRIDAY, 350000, True)
    assert call.disposition == "promise_to_pay" and call.did(HangUp)


def test_last_correction_wins_and_is_read_back_again(reminder: Script) -> None:
    call = Callee(reminder).verified().say("周五还三千", "ptp_date", date=FRIDAY, amount_fen=300000)
    call.say("不是这个周五是下周五", "m_deny", "ptp_modify", date=NEXT_FRIDAY)
    assert "十二月四日星期五" in call.words and "三千元" in call.words
    call.say("说错了是两千", "ptp_modify", amount_fen=200000)
    assert "两千元" in call.words and not call.did(RecordPromise)
    call.say("对", "ptp_confirm")
    promise = call.did(RecordPromise)[-1].promise
    assert (promise.date, promise.amount_fen) == (NEXT_FRIDAY, 200000)
    assert call.disposition == "partial_promise" and "一千五百元" in call.words


def test_a_part_without_an_amount_is_asked_for(reminder: Script) -> None:
    call = Callee(reminder).verified().say("先还一部分 周五", "pay_partial", date=FRIDAY)
    assert call.node == "ask_amount"
    call.say("一千", "pay_partial", amount_fen=100000)
    assert call.node == "confirm" and "一千元" in call.words


def test_a_yes_to_our_own_proposal_takes_the_day_we_named(reminder: Script) -> None:
    call = Callee(reminder).verified().say("我尽量吧", "ptp_vague")
    assert "十一月二十七日星期五" in call.words
    call.say("可以", "m_affirm")
    assert call.node == "confirm" and call.state.pending.date == FRIDAY
    call = Callee(reminder).verified().say("先还一部分 明天", "pay_partial", date=TODAY + dt.timedelta(days=1))
    call.say("好", "m_affirm")
    assert call.state.pending.date == TODAY + dt.timedelta(days=1) and call.node != "confirm"


def test_denied_promise_is_not_recorded(reminder: Script) -> None:
    call = Callee(reminder).verified().say("周五", "ptp_date", date=FRIDAY).say("我没答应", "m_deny")
    assert not call.did(RecordPromise) and call.state.pending.date is None


def test_a_day_beyond_the_horizon_is_asked_nearer_once(reminder: Script) -> None:
    far = TODAY + dt.timedelta(days=21)
    call = Callee(reminder).verified().say("下月十五", "ptp_date", date=far)
    assert call.node == "ask_nearer"
    call.say("十五号才有", "ptp_date", date=far)
    assert call.node == "confirm"
    call = Callee(reminder).verified().say("半年后", "ptp_date", date=TODAY + dt.timedelta(days=180))
    call.say("半年后", "ptp_date", date=TODAY + dt.timedelta(days=180))
    assert call.disposition == "callback" and not call.did(RecordPromise)


def test_past_days_are_no_promise(reminder: Script) -> None:
    call = Callee(reminder).verified().say("上周", "ptp_date", date=TODAY - dt.timedelta(7), tense=Tense.PAST)
    assert call.state.pending.date is None


STOPS = [
    ("转人工", "m_human", "human_requested", True),
    ("我要投诉", "cp_regulator", "complaint", True),
    ("你们打给我妈", "cp_privacy", "complaint", True),
    ("别再打了", "dnc_stop", "do_not_call", False),
    ("我还清了", "pay_already_paid", "already_paid", False),
    ("不是我借的", "dp_not_mine", "dispute", True),
    ("我抑郁症", "vu_mental", "vulnerable", True),
    ("他打我", "vu_violence", "vulnerable", True),
    ("在化疗", "hs_illness_self", "hardship", True),
    ("开着车", "dl_driving", "callback", False),
    ("弄死你", "ab_threat", "abusive", True),
]


@pytest.mark.parametrize(("text", "intent", "disposition", "handoff"), STOPS)
def test_global_handlers_after_identity(
    reminder: Script, text: str, intent: str, disposition: str, handoff: bool
) -> None:
    call = Callee(reminder).verified().say(text, intent)
    assert call.disposition == disposition
    assert bool(call.did(Transfer)) is handoff


BEFORE = [
    ("打错了", "id_wrong_number", "wrong_number"),
    ("我是他老婆", "tp_relation", "third_party"),
    ("我八岁", "tp_minor", "third_party"),
    ("他去世了", "tp_deceased", "third_party"),
    ("已关机", "m_carrier", "voicemail"),
    ("请留言", "m_voicemail", "voicemail"),
    ("我是智能助理", "m_assistant", "voicemail"),
    ("别打了", "tp_stop", "do_not_call"),
    ("在开会", "dl_busy", ""),
    ("转人工", "m_human", "human_requested"),
]


@pytest.mark.parametrize(("text", "intent", "disposition"), BEFORE)
def test_global_handlers_before_identity(reminder: Script, text: str, intent: str, disposition: str) -> None:
    call = Callee(reminder).answers().say(text, intent)
    assert call.disposition == disposition and not call.state.verified


def test_danger_drops_the_debt_cares_pages_and_fetches(reminder: Script) -> None:
    call = Callee(reminder).verified().say("不想活了", "vu_selfharm_explicit", danger=True)
    assert call.did(PageSupervisor) and "您现在安全吗" in call.words and not call.did(HangUp)
    call.say("不用你管", "rf_flat")
    assert "幺二三五六" in call.words and "幺二零" in call.words
    assert call.did(Transfer)[-1].urgent
    call.agent(joined=False)
    assert not call.did(HangUp) and call.listening is not None
    assert call.disposition == "vulnerable"


def test_danger_flag_alone_is_enough_anywhere(reminder: Script) -> None:
    call = Callee(reminder).answers().say("号码不报了没意思", danger=True)
    assert call.node == "crisis"


def test_danger_heard_while_waiting_for_a_person_raises_the_alarm(reminder: Script) -> None:
    call = Callee(reminder).verified().say("转人工", "m_human")
    call.say("不想活了", danger=True)
    assert call.did(PageSupervisor) and call.disposition == "vulnerable"
    assert not call.did(HangUp)


def test_a_hold_is_waited_for(reminder: Script) -> None:
    call = Callee(reminder).verified().say("等一下", "m_hold")
    assert call.listening is not None and call.listening.patience_s == 30
    assert call.silent().listening is not None


def test_the_same_question_is_not_answered_for_ever(reminder: Script) -> None:
    call = Callee(reminder).answers()
    for _ in range(8):
        call.say("喂喂", "m_nohear")
    assert call.did(HangUp) and call.disposition == "no_input"


def test_key_zero_fetches_a_person(reminder: Script) -> None:
    call = Callee(reminder).answers()
    call.tell(KeyPressed(call.state.facts.started_at, "0"))
    assert call.did(Transfer) and call.disposition == "human_requested"


def test_where_digits_are_asked_for_zero_and_a_pause_fetches_a_person(reminder: Script) -> None:
    call = Callee(reminder).answers().say("是", "m_affirm")
    call.tell(KeyPressed(call.state.facts.started_at, "0"))
    assert not call.did(Transfer), "it may be the first digit"
    call.silent()
    assert call.did(Transfer) and call.disposition == "human_requested"


def test_a_bill_not_yet_due_is_a_reminder_without_reproach(reminder: Script) -> None:
    call = Callee(reminder, replace(CASE, overdue_days=0)).verified()
    assert "快到还款日" in call.words and "逾期" not in call.words


def test_silence_is_met_three_times_then_politely_ended(reminder: Script) -> None:
    call = Callee(reminder).answers()
    call.silent()
    assert call.listening and "李振海" in call.words
    call.silent()
    assert call.listening
    call.silent()
    assert call.did(HangUp) and call.disposition == "no_input"


def test_failed_transfer_is_told_honestly_and_a_callback_is_booked(reminder: Script) -> None:
    call = Callee(reminder).verified().say("转人工", "m_human").agent(joined=False)
    assert "同事现在都在忙" in call.words and call.did(BookCallback) and call.did(HangUp)
    call = Callee(reminder, agent_available=False).verified().say("转人工", "m_human")
    assert not call.did(Transfer) and call.did(BookCallback)


def test_joined_transfer_leaves_the_line_to_the_agent(reminder: Script) -> None:
    call = Callee(reminder).verified().say("转人工", "m_human").agent(joined=True)
    assert not call.last and call.silent(3).last == ()


def test_first_insult_is_answered_second_ends(reminder: Script) -> None:
    call = Callee(reminder).verified().say("滚", "ab_insult")
    assert call.listening and call.disposition == ""
    call.say("滚", "ab_insult")
    assert call.disposition == "abusive" and call.did(HangUp)


def test_third_party_hears_two_sentences_and_no_debt(reminder: Script) -> None:
    call = Callee(reminder).answers().say("我是他妈", "tp_relation").say("他欠钱了？", "tp_probe_debt")
    assert call.disposition == "third_party" and "只能和本人说" in call.words and call.did(HangUp)


def test_do_not_call_is_confirmed_and_stops_the_number(reminder: Script) -> None:
    call = Callee(reminder).verified().say("别再打了", "dnc_stop")
    assert "不再给这个号码打电话" in call.words
    assert call.did(StopContact)[-1].scope == "number"


def test_machine_gets_a_neutral_message(reminder: Script) -> None:
    call = Callee(reminder).answers()
    call.tell(MachineAnswered(call.state.facts.started_at, "voicemail", True))
    assert call.disposition == "voicemail" and call.did(HangUp) and "账单" not in call.words


def test_questions_are_answered_in_passing(reminder: Script) -> None:
    call = Callee(reminder).verified().say("你是机器人吧", "m_robot")
    assert "人工智能" in call.words and "转人工" in call.words and call.node == "debt" and call.listening
    call.say("欠多少", "q_amount")
    assert "三千五百元" in call.words and call.node == "debt"


def test_an_aside_and_an_answer_in_one_breath(reminder: Script) -> None:
    call = Callee(reminder).answers().say("我是，您哪位", "id_confirm_self", "id_who_are_you")
    assert "四零零零零零幺二三四" in call.words and call.node == "verify"


def test_hardship_gets_empathy_one_offer_and_no_pressure(reminder: Script) -> None:
    call = Callee(reminder).verified().say("没钱", "hs_no_money")
    assert "我明白" in call.words and call.listening
    call.say("真没钱", "hs_no_money")
    assert call.disposition == "hardship" and call.did(BookCallback) and call.did(HangUp)


def test_callback_keeps_the_named_time_and_the_night_free(reminder: Script) -> None:
    call = Callee(reminder).answers().say("明天十点打", "dl_callback", date=FRIDAY, time=dt.time(10))
    assert call.did(BookCallback)[-1].at == dt.datetime(2026, 11, 27, 10, tzinfo=TIMEZONE)
    call = Callee(reminder).answers().say("半夜打", "dl_callback", time=dt.time(23))
    assert call.did(BookCallback)[-1].at.hour == 9


TIMEZONE = dt.timezone(dt.timedelta(hours=8))


def test_hanging_up_early_leaves_a_disposition(reminder: Script) -> None:
    assert Callee(reminder).answers().hangs_up().disposition == "no_input"
    assert Callee(reminder).verified().hangs_up().disposition == "callback"


def test_state_survives_json_at_every_step(reminder: Script) -> None:
    call = Callee(reminder).verified().say("周五还", "ptp_date", date=FRIDAY, amount_fen=100000)
    again = DialogState.from_json(call.state.to_json())
    assert again == call.state
    yes = Heard(NOW, meaning("对", "m_affirm"))
    assert step(reminder, again, yes) == step(reminder, call.state, yes)
    with pytest.raises(ValueError, match="not a dialog state"):
        DialogState.from_json("{}")
