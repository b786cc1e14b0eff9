"""Figures of simulated calls, and what counts as worse than a baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from voicebot.dialog.script import Script
from voicebot.dialog.simulator_baseline import (
    BaselineError,
    baseline_of,
    lost,
    read_baseline,
    worse,
    write_baseline,
)
from voicebot.dialog.simulator_crowd import crowd, shipped_personas
from voicebot.dialog.simulator_figures import by_kind, figures, funnel, verdict, worst_first


def call(name: str, disposition: str, promise: tuple[str, int] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "call_date": "2026-11-24",
        "disposition": disposition,
        "handoff": False,
        "promise": promise and {"date": promise[0], "amount_fen": promise[1]},
        "disclosed_before_verified": False,
        "verified": True,
        "ending": "thanks",
        "law": [],
        "duration_s": 60.0,
        "path": [["open", "open", "start"], ["open", "verify", "1:x"], ["verify", "open", "2:x"]],
        "turns": [],
    } | more


def who(name: str, disposition: str, date_rel: str | None = None, **more: Any) -> dict[str, Any]:
    expect = {"disposition": disposition, "handoff": False, "promise_date_rel": date_rel, "promise_amount_fen": None}
    return {"id": name, "case": {"amount_fen": 100000}, "expect": expect | more, "emotion": "sad"}


CALLS = [
    call("a", "promise_to_pay", ("2026-11-27", 100500)),
    call("b", "promise_to_pay", ("2026-11-28", 100000), duration_s=90.0),
    call("c", "callback", law=[{"node": "debt", "text": "x", "rules": ["F01", "F02"]}]),
    {"id": "d", "error": "cannot simulate"},
]
PEOPLE = [
    who("a", "promise_to_pay", "+3d"),
    who("b", "promise_to_pay", "+3d"),
    who("c", "refusal", must_not_disclose=True),
    {"id": "d"},
]


def test_a_promise_is_right_on_the_day_and_within_one_per_cent() -> None:
    assert verdict(CALLS[0], PEOPLE[0]).promise is True
    assert verdict(CALLS[1], PEOPLE[1]).promise is False and verdict(CALLS[1], PEOPLE[1]).ending is True
    short = call("a", "promise_to_pay", ("2026-11-27", 98000))
    assert verdict(short, PEOPLE[0]).promise is False


def test_the_figures_count_what_was_expected_and_what_was_forbidden() -> None:
    found = figures(CALLS, PEOPLE)
    assert (found["calls"], found["errors"]) == (4, 1)
    assert (found["right_ending"], found["right_handoff"], found["right_promise"]) == (0.6667, 1.0, 0.5)
    assert found["forbidden_speech"] == {"F01": 1, "F02": 1} and found["calls_with_forbidden_speech"] == 1
    assert found["verified_strangers"] == 1 and found["dispositions"] == {"promise_to_pay": 2, "callback": 1}
    assert by_kind(CALLS, PEOPLE, "emotion")["sad"] == {"calls": 3, "promises": 0.6667, "right_ending": 0.6667}


def test_a_node_is_counted_once_a_call_and_a_branch_each_time() -> None:
    found = funnel([CALLS[0], CALLS[0], CALLS[3]])
    assert found["nodes"] == {"open": 2, "verify": 2}
    assert found["branches"]["open→verify [1:x]"] == 2


def test_errors_come_first_then_strangers_then_forbidden_speech_then_misses() -> None:
    assert [row["id"] for row, _ in worst_first(CALLS, PEOPLE)] == ["d", "c", "b", "a"]


def test_a_script_that_got_worse_is_named(tmp_path: Path, reminder: Script) -> None:
    before = baseline_of(reminder, CALLS[:2], PEOPLE[:2])
    write_baseline(tmp_path / "b.json", before)
    assert read_baseline(tmp_path / "b.json") == before and before["as_expected"] == ["a"]
    after = baseline_of(reminder, [call("a", "refusal"), CALLS[1]], PEOPLE[:2])
    assert len(worse(after, before)) == 2 and lost(after, before) == ["a"]
    leaking = baseline_of(reminder, [call("a", "promise_to_pay", ("2026-11-27", 100000),
                                          disclosed_before_verified=True), CALLS[1]], PEOPLE[:2])  # fmt: skip
    assert worse(leaking, before) == ["核实身份前透露增加：0 → 1"]
    assert worse(before, before) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"figures": {}, "as_expected": []}', '{"figures": 1}', "[" * 9999])
def test_a_file_that_is_no_baseline_is_one_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(BaselineError, match="--save"):
        read_baseline(tmp_path / "b.json")


def test_the_crowd_begins_with_the_written_ones_and_marks_what_it_made() -> None:
    people = shipped_personas()
    assert len({persona["id"] for persona in people}) == len(people)
    assert not any(persona.get("generated") for persona in people)
    many = list(crowd(people, len(people) + 50, seed=3))
    assert many[: len(people)] == list(people)
    made = many[len(people) :]
    assert all(one["generated"] and "expect" not in one and one["from"] in one["id"] for one in made)
    assert {(one["phone"], one["line"]) for one in made} - {("talks", "clean")}
    assert many == list(crowd(people, len(many), seed=3)) != list(crowd(people, len(many), seed=4))
