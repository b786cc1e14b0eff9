"""The shipped inbound script: who is calling, what about, and never the debt to somebody unknown."""

from __future__ import annotations

from voicebot.dialog.actions import HangUp, Transfer
from voicebot.dialog.script import Script

from .callee import Callee


def test_a_known_number_is_asked_for_the_person_and_verified(inbound: Script) -> None:
    call = Callee(inbound).answers()
    assert "录音" in call.words and "人工智能" in call.words and call.words.endswith("本人吗？")
    call.say("我是", "id_confirm_self").say("二三一五", "id_verify_answer")
    assert call.state.verified and call.node == "debt"


def test_an_unknown_number_is_asked_what_about_and_given_a_person(inbound: Script) -> None:
    call = Callee(inbound, case=None).answers()
    assert call.node == "what_about"
    call.say("你们给我打过电话", "unknown")
    assert call.did(Transfer) and call.disposition == "human_requested"
    call.agent(joined=False)
    assert call.did(HangUp)


def test_somebody_else_with_the_debtors_phone_learns_nothing(inbound: Script) -> None:
    call = Callee(inbound).answers().say("不是", "m_deny")
    assert call.node == "what_about" and "账单" not in call.words


def test_silence_ends_politely(inbound: Script) -> None:
    call = Callee(inbound).answers().silent(3)
    assert call.did(HangUp) and call.disposition == "no_input"
