"""Rehearsed calls: understood and judged as real ones are."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from voicebot.dialog.loader import find_script, load_script
from voicebot.dialog.simulator import CALL_AT
from voicebot.dialog.simulator_crowd import shipped_personas
from voicebot.domain.understanding import Topic
from voicebot.pipeline.rehearsal import Rehearsal, rehearse


@pytest.fixture(scope="module")
def rehearsal() -> Rehearsal:
    return Rehearsal()


def test_a_promise_by_its_words_alone(rehearsal: Rehearsal) -> None:
    script = load_script(find_script("reminder"))
    row = rehearsal.call(script, shipped_personas()[0])
    assert row["disposition"] == "promise_to_pay" and row["law"] == []
    assert row["promise"] == {"date": "2026-11-24", "amount_fen": 126840}


def test_the_gate_of_real_calls_listens(rehearsal: Rehearsal) -> None:
    script = load_script(find_script("reminder"))
    thanks = script.nodes["thanks"]
    rude = replace(thanks, say=(replace(thanks.say[0], text="再不还就让警察上门抓你。"),))
    row = rehearsal.call(replace(script, nodes={**script.nodes, "thanks": rude}), shipped_personas()[0])
    assert [each["node"] for each in row["law"]] == ["thanks"] and row["law"][0]["rules"]


def test_what_was_understood_once_is_kept_by_day_and_question(rehearsal: Rehearsal) -> None:
    later = CALL_AT + dt.timedelta(days=1)
    first = rehearsal.understand("明天还", Topic.DEBT, CALL_AT)
    assert rehearsal.understand("明天还", Topic.DEBT, CALL_AT) is first
    assert rehearsal.understand("明天还", Topic.DEBT, later).slots.date == later.date() + dt.timedelta(days=1)


def test_the_shipped_personas_are_many_and_play_by_themselves() -> None:
    assert len(shipped_personas()) >= 200
    rows = list(rehearse(load_script(find_script("reminder")), count=3))
    assert [row["id"] for row in rows] == ["D001", "D002", "D003"]
