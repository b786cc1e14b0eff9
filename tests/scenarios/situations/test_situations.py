"""The 184 situations: each is met as the catalogue demands."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from .coverage import PAGE, catalogue, page
from .elsewhere import CHECKS
from .play import complaints, play, situations

ROOT = Path(__file__).parents[3]
PLAYS = [
    pytest.param(entry, turns, id=f"{entry['no']}-{number}-{turns if isinstance(turns, str) else turns[0]}")
    for entry in situations()
    for number, turns in enumerate(entry.get("plays", ()))
]
_KEYS = {
    "no", "at", "script", "case", "agent", "plays", "first", "says", "never", "ends", "skill", "did", "verified",
    "promise", "promise_made", "promise_only_after", "node", "open", "stops", "stays", "soon", "far", "patience",
    "check", "test",
}  # fmt: skip


@pytest.mark.parametrize(("entry", "turns"), PLAYS)
def test_a_situation_is_met(entry: dict[str, Any], turns: Any) -> None:
    played = play(entry, turns)
    assert complaints(entry, played) == [], "\n" + "\n".join(played.story)


@pytest.mark.parametrize("entry", [e for e in situations() if "check" in e], ids=lambda entry: entry["check"])
def test_what_is_decided_elsewhere(entry: dict[str, Any]) -> None:
    CHECKS[entry["check"]]()


@pytest.mark.parametrize("entry", [e for e in situations() if "test" in e], ids=lambda entry: str(entry["no"]))
def test_a_test_that_is_named_exists(entry: dict[str, Any]) -> None:
    path, _, name = entry["test"].partition("::")
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    assert any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name for node in tree.body)


def test_all_of_the_catalogue_is_covered_and_nothing_is_empty() -> None:
    assert sorted({entry["no"] for entry in situations()}) == [each["no"] for each in catalogue()]
    for entry in situations():
        assert set(entry) <= _KEYS, f"{entry['no']}: {set(entry) - _KEYS}"
        asserts = set(entry) - {"no", "at", "script", "case", "agent", "plays"}
        assert asserts, f"{entry['no']} asserts nothing"


def test_the_page_of_the_documentation_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "python -m tests.scenarios.situations.coverage writes it anew"


def test_a_play_that_is_not_met_is_noticed() -> None:
    """The checks themselves: a promise that was not made, words that were not said, an ending that was another."""
    played = play({"no": 0, "at": "open"}, "打错了，我不认识他")
    wanted = {
        "says": ["元"],
        "never": ["不好意思"],
        "ends": "refusal",
        "promise": {"days": 1, "fen": 1},
        "skill": "care",
    }
    assert len(complaints(wanted | {"did": ["callback"], "stops": True}, played)) == 7
