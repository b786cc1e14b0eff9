"""`voicebot script simulate`: rows, tables, baselines and exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from voicebot.cli.commands import app
from voicebot.config import scripts_dir
from voicebot.dialog.simulator_crowd import shipped_personas

REMINDER = str(scripts_dir() / "reminder.yaml")


def simulate(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(app, ["script", "simulate", REMINDER, *arguments], input=given)


def rows_of(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


@pytest.fixture
def personas(tmp_path: Path) -> Path:
    path = tmp_path / "personas.jsonl"
    chosen = [persona for persona in shipped_personas() if persona["id"] in ("D001", "D069", "D095")]
    path.write_text("".join(json.dumps(persona, ensure_ascii=False) + "\n" for persona in chosen), encoding="utf-8")
    return path


def test_a_row_per_persona_and_bad_rows_do_not_stop_the_others(personas: Path) -> None:
    personas.write_text('{"id": "x"}\nno json\n' + personas.read_text("utf-8"), encoding="utf-8")
    result = simulate("--personas", str(personas), "--json", "--seed", "3")
    rows = rows_of(result)
    assert result.exit_code == 1, "a persona could not be simulated"
    assert [row.get("id") for row in rows] == ["x", None, "D001", "D069", "D095"]
    assert "error" in rows[0] and "error" in rows[1]
    assert [row["disposition"] for row in rows[2:]] == ["promise_to_pay", "wrong_number", "human_requested"]
    assert rows[2]["promise"] == {"date": "2026-11-24", "amount_fen": 126840} and rows[2]["law"] == []
    assert {"call_date", "handoff", "disclosed_before_verified", "turns", "ending", "path"} <= set(rows[2])


def test_people_get_figures_a_funnel_and_the_worst_calls(personas: Path) -> None:
    result = simulate("--personas", str(personas), "--count", "5")
    assert result.exit_code == 0
    for words in ("结局正确率", "100.0%", "漏斗", "最差的通话", "5 通"):
        assert words in result.stdout


def test_a_crowd_may_be_larger_than_the_file(personas: Path) -> None:
    rows = rows_of(simulate("--personas", "-", "--json", "--count", "7", given=personas.read_text("utf-8")))
    assert len(rows) == 7 and rows[3]["id"] == "D001-1"


def test_a_script_that_got_worse_fails(personas: Path, tmp_path: Path) -> None:
    kept = tmp_path / "baseline.json"
    assert simulate("--personas", str(personas), "--save", str(kept)).exit_code == 0
    assert simulate("--personas", str(personas), "--against", str(kept)).exit_code == 0
    changed = personas.read_text("utf-8").replace('"disposition": "wrong_number"', '"disposition": "refusal"')
    personas.write_text(changed, encoding="utf-8")
    result = simulate("--personas", str(personas), "--against", str(kept))
    assert result.exit_code == 1 and "结局正确率下降：100.0% → 66.7%" in result.stderr and "D069" in result.stderr


def test_a_baseline_that_is_none_is_named(tmp_path: Path) -> None:
    result = simulate("--against", str(tmp_path / "none.json"))
    assert result.exit_code == 2 and "none.json" in result.stderr
