"""Simulated calls: answers by topic, silence, handoff, promise, and the independent look at disclosures."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from voicebot.dialog.script import Script
from voicebot.dialog.simulator import simulate, simulate_one
from voicebot.dialog.state import DialogState
from voicebot.domain.case import CallFacts
from voicebot.domain.understanding import Topic, Understanding

from .callee import meaning

MEANINGS: dict[str, Understanding] = {
    "我是": meaning("我是", "id_confirm_self"),
    "二三一五": meaning("二三一五", "id_verify_answer"),
    "周五还两千": meaning("周五还两千", "ptp_date", "pay_partial", date=dt.date(2026, 11, 27), amount_fen=200000),
    "对": meaning("对", "ptp_confirm"),
    "转人工": meaning("转人工", "m_human"),
    "打错了": meaning("打错了", "id_wrong_number"),
}


def understand(text: str, topic: Topic, now: dt.datetime) -> Understanding:
    return MEANINGS.get(text, Understanding(text))


def persona(known: bool = True, **answers: list[str]) -> dict[str, Any]:
    facts = {"name": "李振海", "id_last4": "2315", "birth_mmdd": "0812"} if known else None
    return {
        "id": "P1",
        "who": "男 27 快递员",
        "case": {"amount_fen": 350000, "overdue_days": 3},
        "facts": facts,
        "answers": answers,
    }


def test_a_promise_is_kept_in_the_row(reminder: Script) -> None:
    who = persona(open=["我是"], verify=["二三一五"], debt=["周五还两千"], promise=["对"])
    row = simulate_one(reminder, who, understand=understand)
    assert row["disposition"] == "partial_promise" and row["handoff"] is False
    assert row["promise"] == {"date": "2026-11-27", "amount_fen": 200000}
    assert row["call_date"] == "2026-11-24" and row["disclosed_before_verified"] is False
    assert row["turns"][0]["speaker"] == "bot" and "先生" in row["turns"][1]["text"]
    assert [t["intents"] for t in row["turns"] if t["text"] == "对"] == [["ptp_confirm"]]


def test_topics_fall_back_to_any_and_the_last_answer_repeats(reminder: Script) -> None:
    row = simulate_one(reminder, persona(any=["我是", "二三一五", "转人工"]), understand=understand)
    assert row["disposition"] == "human_requested" and row["handoff"] is True


def test_stage_directions_and_empty_answers_are_silence(reminder: Script) -> None:
    row = simulate_one(reminder, persona(open=["", "（电视声）……", "（叹气）"]), understand=understand)
    assert row["disposition"] == "no_input"


def test_somebody_unknown_can_never_be_verified(reminder: Script) -> None:
    who = persona(known=False, open=["我是"], verify=["二三一五"], debt=["周五还两千"])
    row = simulate_one(reminder, who, understand=understand)
    assert not row["verified"] and row["promise"] is None and not row["disclosed_before_verified"]


def test_disclosures_are_noticed_by_the_simulator_itself(reminder: Script) -> None:
    """A script that slipped past every check would still be caught here."""
    nodes = dict(reminder.nodes)
    nodes["open"] = replace(nodes["open"], say=(replace(nodes["open"].say[0], text="您该缴纳费用了"),))
    assert not simulate_one(replace(reminder, nodes=nodes), persona(open=["打错了"]), understand=understand)[
        "disclosed_before_verified"
    ]
    nodes["open"] = replace(nodes["open"], do=(), say=(), goto="debt")
    from voicebot.dialog import turn
    from voicebot.dialog.values import values_of

    def forged(script: Script, state: DialogState, now: dt.datetime) -> object:
        return values_of(script, replace(state, verified=True), now)

    unguarded = pytest.MonkeyPatch()
    with unguarded.context() as patch:
        patch.setattr(turn, "values_of", forged)
        nodes["open"] = replace(reminder.nodes["open"], say=reminder.nodes["debt"].say)
        row = simulate_one(replace(reminder, nodes=nodes), persona(open=["打错了"]), understand=understand)
    assert row["disclosed_before_verified"]


def test_a_bad_persona_is_an_error_row_and_the_others_go_on(reminder: Script) -> None:
    rows = list(simulate(reminder, [{"id": "bad"}, persona(open=["打错了"])], understand=understand))
    assert "error" in rows[0] and rows[0]["id"] == "bad"
    assert rows[1]["disposition"] == "wrong_number"


def test_the_same_persona_gives_the_same_row(reminder: Script) -> None:
    who = persona(open=["我是"], verify=["二三一五"], debt=["周五还两千"], promise=["对"])
    assert simulate_one(reminder, who, understand=understand, seed=7) == simulate_one(
        reminder, who, understand=understand, seed=7
    )


def test_somebody_late_is_waited_for_and_somebody_gone_is_settled(reminder: Script) -> None:
    answers = persona(open=["我是"], verify=["二三一五"], debt=["周五还两千"], promise=["对"])
    late = simulate_one(reminder, {**answers, "phone": "late"}, understand=understand)
    assert [turn["text"] for turn in late["turns"] if turn["speaker"] == "callee"][:2] == ["", "我是"]
    assert late["disposition"] == "partial_promise"
    gone = simulate_one(reminder, {**answers, "phone": "leaves"}, understand=understand)
    assert gone["disposition"] == "callback" and gone["promise"] is None, "hung up before it was confirmed"
    with pytest.raises(ValueError, match="shouts"):
        simulate_one(reminder, {**answers, "phone": "shouts"}, understand=understand)


def test_on_a_broken_line_answers_get_lost_the_same_way_for_the_same_seed(reminder: Script) -> None:
    who = {**persona(any=["我是", "二三一五", "转人工"]), "line": "broken"}
    runs = [simulate_one(reminder, who, seed, understand=understand) for seed in (1, 1, *range(12))]
    assert runs[0] == runs[1]
    assert len({len(run["turns"]) for run in runs}) > 1, "no answer was ever lost"


def test_what_the_gate_forbids_stands_in_the_row(reminder: Script) -> None:
    def strict(text: str, facts: CallFacts, verified: bool) -> list[str]:
        return ["F01"] if verified and "四千" not in text and "核对" in text else []

    who = persona(open=["我是"], verify=["二三一五"], debt=["转人工"])
    (found,) = simulate_one(reminder, who, understand=understand, judge=strict)["law"]
    assert found["node"] == "debt" and found["rules"] == ["F01"] and "核对" in found["text"]
