"""Personas of the simulator at telephones: who they become, and what row their call gives."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from voicebot.demo import by_phone
from voicebot.demo.by_phone import _in_order, row_of
from voicebot.demo.casting import cast, write_cast
from voicebot.demo.persona import load_personas
from voicebot.demo.results import DemoCall
from voicebot.dialog.simulator_crowd import shipped_personas
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.outcome import Disposition

NOW = dt.datetime(2026, 11, 24, 2, tzinfo=dt.UTC)


def test_everybody_shipped_can_be_cast_and_read_by_the_far_end(tmp_path: Path) -> None:
    people = cast(shipped_personas())
    assert len({person.id for person in people}) == len(people)
    assert all("-" not in person.id for person in people), "the far end finds people by what stands before the dash"
    write_cast(people, tmp_path / "cast.json")
    assert load_personas(tmp_path / "cast.json") == people


def test_stage_directions_are_not_spoken_and_voices_fit() -> None:
    row = {"id": "x", "who": "女 30", "case": {"amount_fen": 1000}, "answers": {"open": ["（叹气）", "（笑）我是"]}}
    (person,) = cast([row])
    assert person.answers["open"] == ("", "我是") and person.voice.startswith("f")
    assert person.expected is Disposition.CALLBACK
    with pytest.raises(ValueError, match="'y'"):
        cast([{"id": "y", "case": {"amount_fen": 1000}, "answers": {"open": 3}}])


def facts(*told: tuple[FactKind, dict[str, Any]]) -> list[Fact]:
    return [Fact(number, NOW.isoformat(), number * 100, kind, data) for number, (kind, data) in enumerate(told)]


def test_a_telephone_call_gives_the_row_of_a_simulated_one(monkeypatch: pytest.MonkeyPatch) -> None:
    journal = facts(
        (FactKind.DECIDED, {"from_node": "open", "to_node": "open", "branch": "start", "why": ""}),
        (FactKind.SAYING, {"utterance_id": "u1", "text": "您好", "node": "open", "interruptible": True}),
        (FactKind.UNDERSTOOD, {"text": "我是", "topic": "open", "intents": [{"id": "id_confirm_self", "p": 0.9}]}),
        (FactKind.VERIFIED, {"by": "card"}),
        (FactKind.NOTE, {"text": "speech gate", "blocked": "坏话", "rules": ["F01"]}),
    )
    monkeypatch.setattr(by_phone, "read_journal", lambda bundle: journal)
    (person,) = cast(shipped_personas()[:1])
    record = type("Record", (), {"started_at": NOW})
    call = DemoCall(record, person, "callback", None, False, 9.5, Path("b.zip"), True, False, ())  # type: ignore[arg-type]
    row = row_of("D001", call)
    assert row["turns"] == [
        {"speaker": "bot", "text": "您好", "node": "open", "intents": []},
        {"speaker": "callee", "text": "我是", "node": "open", "intents": ["id_confirm_self"]},
    ]
    assert (row["verified"], row["ending"], row["path"]) == (True, "open", [["open", "open", "start"]])
    assert row["law"] == [{"node": "", "text": "坏话", "rules": ["F01"]}]


def test_a_call_that_never_ended_is_an_error_row() -> None:
    people = cast(shipped_personas()[:2])
    rows = _in_order(people, shipped_personas()[:2], [])
    assert [row["id"] for row in rows] == ["D001", "D002"] and all("error" in row for row in rows)
