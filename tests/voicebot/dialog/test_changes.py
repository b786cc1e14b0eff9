"""A script that extends another changes what it says, and nothing else."""

from __future__ import annotations

from pathlib import Path

from voicebot.dialog.checker import check_file
from voicebot.dialog.loader import load_script
from voicebot.dialog.script import Kind, Script


def written(folder: Path, nodes: str) -> Path:
    path = folder / "child.yaml"
    path.write_text(f"script: child\ntitle: 子脚本\nextends: reminder\nnodes:\n{nodes}", encoding="utf-8")
    return path


def test_only_what_is_said_is_different(tmp_path: Path, reminder: Script) -> None:
    child = load_script(written(tmp_path, "  ask_payday:\n    say: 请问几号发工资？\n    patience: 9\n"))
    changed, before = child.nodes["ask_payday"], reminder.nodes["ask_payday"]
    assert [prompt.text for prompt in changed.say] == ["请问几号发工资？"]
    assert changed.patience_s == 9.0 and before.patience_s == 6.0
    assert (changed.kind, changed.topic, changed.branches, changed.exhausted) == (
        Kind.ASK, before.topic, before.branches, before.exhausted,
    )  # fmt: skip
    assert changed.place("say").file.endswith("child.yaml") and changed.place("tries").file.endswith("reminder.yaml")
    assert child.nodes["thanks"] == reminder.nodes["thanks"]


def test_a_change_to_nothing_and_a_key_of_another_kind_are_errors(tmp_path: Path) -> None:
    path = written(tmp_path, "  nowhere:\n    say: 好。\n  thanks:\n    topic: any\n")
    found = [(f.line, f.code) for f in check_file(path) if f.severity == "error"]
    assert found == [(5, "schema"), (8, "unknown-key")]
