"""The library of call scripts: each says its own, and the special ones do what they are for."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.config import scripts_dir
from voicebot.dialog.actions import BookCallback, RecordPromise, StopContact, Transfer
from voicebot.dialog.loader import load_script
from voicebot.dialog.script import Script

from .callee import CASE, Callee

NAMES = sorted(path.stem for path in scripts_dir().glob("*.yaml"))
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "script-library.md"
STAGES = ("reminder", "predue", "s1", "s2", "s3", "m1", "m2", "m3", "m4", "promise-day", "broken-promise", "hardship")


def script(name: str) -> Script:
    return load_script(scripts_dir() / f"{name}.yaml")


def test_every_script_stands_on_the_page() -> None:
    page = PAGE.read_text("utf-8")
    assert [name for name in NAMES if f"[`{name}`](../../scripts/{name}.yaml)" not in page] == []


def test_each_puts_the_bill_in_its_own_words() -> None:
    bills = {name: "".join(prompt.text for prompt in script(name).nodes["debt"].say) for name in STAGES}
    assert len(set(bills.values())) == len(bills)
    assert not any("逾期" in bills[name] for name in ("predue", "s1", "promise-day", "broken-promise", "hardship"))


def test_the_friendly_reminder_speaks_of_no_delay() -> None:
    callee = Callee(script("predue")).verified()
    assert "快到还款日" in callee.words and "逾期" not in callee.words and "三千五百元" in callee.words


def test_on_the_promised_day_a_bare_yes_means_today() -> None:
    callee = Callee(script("promise-day")).verified().say("好的", "m_affirm")
    assert "十一月二十四日" in callee.words
    callee.say("对", "ptp_confirm")
    (promise,) = callee.did(RecordPromise)
    assert promise.promise.date == CASE.as_of and promise.promise.confirmed


def test_a_promise_broken_again_goes_to_a_person() -> None:
    callee = Callee(script("broken-promise")).verified()
    for _ in range(5):
        callee.say("再说吧", "ptp_vague")
    assert callee.did(Transfer) and not callee.did(RecordPromise)


def test_hardship_listens_and_fetches_somebody_who_cares() -> None:
    callee = Callee(script("hardship")).verified().say("还是没收入", "hs_unemployed")
    assert "都记下了" in callee.words
    callee.say("拿不出来", "hs_no_money")
    (transfer,) = callee.did(Transfer)
    assert transfer.skill == "care" and callee.disposition == "hardship"


def test_a_dispute_is_heard_out_taken_down_and_stops_the_calls() -> None:
    callee = Callee(script("dispute")).verified().say("金额不对，多算了", "dp_amount")
    assert "补充" in callee.words and not callee.did(Transfer), "not cut short"
    callee.say("没有了", "m_deny")
    (transfer,) = callee.did(Transfer)
    assert transfer.skill == "dispute" and callee.did(StopContact)[0].scope == "debtor"


@pytest.mark.parametrize(("text", "intent", "stops"), [("可以", "m_affirm", False), ("不转告", "tp_relay_no", True)])
def test_a_contact_is_asked_once_and_told_nothing(text: str, intent: str, stops: bool) -> None:
    callee = Callee(script("third-party")).answers()
    assert "给我们回个电话" in callee.words
    callee.say(text, intent)
    assert callee.disposition == "third_party" and bool(callee.did(StopContact)) is stops
    assert callee.listening is None, "the call is over"


def test_the_survey_asks_nobody_who_they_are_and_hands_a_grievance_on() -> None:
    callee = Callee(script("survey")).answers().say("可以", "m_affirm").say("没有", "m_deny")
    assert "没做好" in callee.words
    callee.say("态度很差", "unknown")
    assert callee.did(BookCallback) and "身份证" not in "".join(a.text for a in callee.actions if hasattr(a, "text"))


def test_from_three_months_on_appointments_are_made_and_nothing_is_negotiated() -> None:
    callee = Callee(script("m4")).verified()
    assert "三千五百" not in callee.words
    callee.say("先还一千吧", "pay_partial", amount_fen=100000)
    assert callee.did(Transfer) and not callee.did(RecordPromise)
