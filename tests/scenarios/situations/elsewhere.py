"""What the situations demand of dialling, rules and figures: checked where it is decided, not in a conversation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from voicebot.campaign.care import load_follow_up
from voicebot.campaign.follow_up import promise_reminders
from voicebot.campaign.redial import next_try
from voicebot.compliance.rows import judge_row
from voicebot.dialog.loader import find_script
from voicebot.dialog.simulator import CALL_AT
from voicebot.domain.case import Promise
from voicebot.domain.outcome import Disposition
from voicebot.pipeline.machine_words import machine_of
from voicebot.telephony.outcome import Answer, Retry, announced

from .play import play, script_of

REDIAL = load_follow_up().redial

NUMBER = "13800000001"


def answer_to(text: str) -> Answer:
    """What the dialler makes of an announcement heard before anybody answered."""
    found = machine_of(text, answered=False)
    assert found is not None and found[0] == "announcement", text
    return announced(found[1])


def judged(now: dt.datetime = CALL_AT, **changes: Any) -> dict[str, Any]:
    request = {
        "id": 1,
        "now": now.isoformat(),
        "case": {"overdue_days": 12, "amount_fen": 350000, "jurisdiction": "CN"},
        "target": {"kind": "debtor", "number": NUMBER},
        "history": [],
        "stops": [],
        "consents": [],
    }
    return judge_row(request | changes)


def hours_until_next(outcome: Disposition, times: int = 1) -> float:
    at = next_try([outcome] * times, CALL_AT, REDIAL)
    assert at is not None
    return (at - CALL_AT).total_seconds() / 3600


def switched_off() -> None:
    answer = answer_to("您好，您拨打的电话已关机，请稍后再拨")
    assert answer.disposition is Disposition.UNREACHABLE and answer.retry is Retry.LATER
    assert hours_until_next(answer.disposition) >= 3


def empty_number() -> None:
    assert answer_to("您拨打的号码是空号，请核对后再拨").retry is Retry.NEVER


def suspended() -> None:
    answer = answer_to("您拨打的电话已停机")
    assert answer.disposition is Disposition.UNREACHABLE and answer.retry is Retry.NEXT_DAY


def line_busy() -> None:
    assert answer_to("您拨打的电话正在通话中，请稍后再拨").disposition is Disposition.BUSY
    assert hours_until_next(Disposition.BUSY) >= 0.5
    tries = [{"at": f"2026-11-24T0{hour}:00:00+08:00", "number": NUMBER, "outcome": "busy"} for hour in (0, 1, 2)]
    assert judged(history=tries)["rule"] == "CN-F2", "a fourth try on one day"


def out_of_service() -> None:
    answer = answer_to("您拨打的用户不在服务区")
    assert answer.disposition is Disposition.UNREACHABLE
    assert next_try([answer.disposition], CALL_AT, REDIAL).date() > CALL_AT.date()  # type: ignore[union-attr]


def hung_up_at_once() -> None:
    rejected = {"at": "2026-11-24T09:30:00+08:00", "number": NUMBER, "outcome": "rejected"}
    verdict = judged(history=[rejected])
    assert not verdict["allowed"] and verdict["not_before"].startswith("2026-11-25")


def verified_anew() -> None:
    """Whoever is rung again is asked again: nothing of the broken call is known to the next one."""
    again = play({"no": 31, "at": "start"}, ["喂"])
    assert not again.verified and not any("账单" in text for text in again.words)
    assert next_try([Disposition.CALLBACK], CALL_AT, REDIAL) is None, "rung again by itself"


def contact_only_when_unreachable() -> None:
    contact = {"kind": "contact", "number": "13800000009"}
    assert judged(target=contact)["rule"] == "CN-C1"
    stops = [{"kind": "do_not_call", "scope": "number", "number": "13800000009"}]
    assert not judged(target=contact, stops=stops)["allowed"]


def guarantor_is_a_case_of_its_own() -> None:
    """A guarantor may be rung as one who owes; the debtor's own factors prove nothing about him."""
    assert judged(target={"kind": "guarantor", "number": "13800000009"})["allowed"]
    stranger = play({"no": 42, "at": "open"}, ["我是他的担保人"])
    assert not stranger.verified and not any("账单" in text for text in stranger.words)


def new_number_is_not_dialled() -> None:
    told = play({"no": 45, "at": "open"}, "他换号了，新号码是幺三八零零幺三八零零零")
    assert told.callback_at is None and not told.verified


def reminded_once_on_the_day() -> None:
    """One call on the day itself, in the afternoon and only when nothing came in; it is not repeated."""
    promise = Promise(CALL_AT.date() + dt.timedelta(days=5), 350000, confirmed=True)
    days = [(attempt.at.date() - CALL_AT.date()).days for attempt in promise_reminders(promise, CALL_AT)]
    assert days == [5]


def most_of_m4_is_for_people() -> None:
    """From three months on the bot makes appointments: it takes no promise and names no sum."""
    script = script_of("m4")
    assert not any(effect.verb.value == "take_promise" for b in script.nodes["debt"].branches for effect in b.do)
    entry = {"no": 172, "script": "m4", "case": {"overdue_days": 120}}
    fetched = play(entry, "可以，现在就说")
    assert fetched.skill and fetched.promise is None
    later = play(entry, ["我现在没空", "明天上午十点"])
    assert later.ends == "callback" and "callback" in later.did and later.promise is None
    assert not any("三千五百" in text for text in (*fetched.words, *later.words))


def holidays_are_held() -> None:
    assert judged(dt.datetime.fromisoformat("2026-10-01T10:00:00+08:00"))["rule"] == "CN-T3"
    assert judged(dt.datetime.fromisoformat("2026-02-17T10:00:00+08:00"))["rule"] == "CN-T3"


def callers_are_served_when_the_cap_is_used_up() -> None:
    talked = {"at": "2026-11-24T09:10:00+08:00", "number": NUMBER, "outcome": "conversation"}
    assert judged(history=[talked])["rule"] == "CN-F1", "we may not ring"
    served = play({"no": 176, "script": "inbound", "at": "open"}, ["是我", "二三一五"])
    assert served.verified and any("三千五百" in text for text in served.words), "but who rings us is served"


def verdicts_name_their_rules() -> None:
    first, second = judged(), judged(CALL_AT + dt.timedelta(minutes=1))
    assert len(first["pack"]) == 64 and first["pack"] == second["pack"], "a verdict says by which rules it was given"


def a_changed_script_is_another_version() -> None:
    hashes = {script_of(name).sha256 for name in ("reminder", "m1", "m2", "m3")}
    assert len(hashes) == 4 and all(len(value) == 64 for value in hashes)
    assert find_script("reminder").read_bytes(), "the hash is that of the file on the air"


CHECKS: dict[str, Callable[[], None]] = {
    check.__name__: check
    for check in (
        switched_off, empty_number, suspended, line_busy, out_of_service, hung_up_at_once, verified_anew,
        contact_only_when_unreachable, guarantor_is_a_case_of_its_own, new_number_is_not_dialled,
        reminded_once_on_the_day, most_of_m4_is_for_people, holidays_are_held,
        callers_are_served_when_the_cap_is_used_up, verdicts_name_their_rules, a_changed_script_is_another_version,
    )
}  # fmt: skip
"""By the name that the files beside this one call them."""
