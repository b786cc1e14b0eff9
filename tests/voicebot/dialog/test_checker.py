"""The checker finds every planted fault, on its line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from voicebot.dialog.checker import Severity, check_file, check_files
from voicebot.dialog.loader import ScriptError, find_script, load_script
from voicebot.dialog.proof import examine
from voicebot.dialog.script import Script
from voicebot.dialog.vocabulary import MANDATORY_HANDLERS

REMINDER = find_script("reminder").read_text(encoding="utf-8")


def planted(folder: Path, old: str, new: str) -> tuple[Path, int]:
    """The reminder with one replacement; the line (from 1) on which it begins."""
    assert REMINDER.count(old) >= 1, old
    path = folder / "planted.yaml"
    path.write_text(REMINDER.replace(old, new, 1), encoding="utf-8")
    return path, REMINDER[: REMINDER.index(old)].count("\n") + 1


@pytest.mark.parametrize("name", ["reminder", "inbound"])
def test_shipped_scripts_are_without_findings(name: str) -> None:
    assert check_file(find_script(name)) == []


MISSPELT = [
    ("unknown-key", "    patience: 5\n", "    patiense: 5\n"),
    ("unknown-intent", "hears: [m_human]", "hears: [m_humanoid]"),
    ("unknown-topic", "topic: reason", "topic: reasons"),
    ("unknown-kind", "kind: message", "kind: massage"),
    ("unknown-effect", "- drop_promise\n", "- forget_promise\n"),
    ("unknown-emotion", "  angry: 给", "  furious: 给"),
    ("expression", "if: said.unclear and heard", "if: said.unclear und heard"),
    ("expression", "if: identity.matched", "if: __import__('os')"),
    ("schema", "- disposition: already_paid", "- disposition: paid_already"),
    ("schema", "tries: 3", "tries: many"),
]


def test_misspelt_words_are_all_found_on_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "misspelt.yaml"
    text, planted_on = REMINDER, set()
    for code, old, new in MISSPELT:
        assert text.count(old) >= 1, old
        planted_on.add((code, text[: text.index(old)].count("\n") + 1))
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    found = check_file(path)
    assert {(f.code, f.line) for f in found} == planted_on
    assert all(f.severity is Severity.ERROR and f.file == str(path) and f.column > 1 for f in found)


FAULTS = [
    ("unknown-node", "goto: callback_end\n      - if: passed", "goto: nowhere\n      - if: passed", 0),
    ("unknown-variable", '请问是{person}本人吗？"\n    short', '请问是{persona}本人吗？"\n    short', 0),
    ("unknown-handler", "without: [suspect_scam, official]", "without: [suspect_spam, official]", 0),
    ("unspeakable", "say: 好的，我为您转接同事。", "say: 好的，OK，我为您转接同事。", 0),
    ("debt-before-identity", "say: 涉及您的个人信息，", "say: 涉及您的账单，", 0),
    ("debt-before-identity", "goto: verify_why\n", "goto: debt\n", None),
    ("debt-before-identity", '    if: verified\n    say: "截至今天，一共', '    say: "截至今天，一共', 0),
    ("opening-ai", "是{institution}的人工智能语音助手，本", "是{institution}的语音助手，本", None),
    ("opening-recording", '，本次通话会录音。"', '。"', None),
    ("opening-institution", "您好，我是{institution}的人工", "您好，我是人工", None),
    ("dead-end", "    failed: human_later\n", "", None),
    ("unreachable", "goto: refusal_transfer", "goto: refusal_end", None),
    ("endless", "    goto: crisis_transfer\n", "    goto: crisis_help\n", None),
    ("no-human", "    without: [suspect_scam, official]", "    without: [human, official]", 0),
    ("emotion-hardens", "- hears: [m_deny]\n        goto: reason", "- if: emotion == 'angry'\n        goto: debt", 0),
    ("extends", 'version: "1"', 'version: "1"\nextends: nothing', None),
]


@pytest.mark.parametrize(("code", "old", "new", "below"), FAULTS)
def test_planted_fault_is_found_on_its_line(tmp_path: Path, code: str, old: str, new: str, below: int | None) -> None:
    path, line = planted(tmp_path, old, new)
    found = [f for f in check_file(path) if f.code == code]
    assert found and all(f.severity is Severity.ERROR for f in found)
    assert all(f.file == str(path) and f.column >= 1 for f in found)
    if below is not None:
        assert line + below in {f.line for f in found}


@pytest.mark.parametrize("name", MANDATORY_HANDLERS)
def test_every_mandatory_handler_is_missed(reminder: Script, name: str) -> None:
    poorer = replace(reminder, handlers=tuple(h for h in reminder.handlers if h.name != name))
    missing = [p for p in examine(poorer) if p.code == "missing-handler"]
    assert [f"`{name}:`" in p.message for p in missing] == [True]


def test_a_script_with_an_error_does_not_load(tmp_path: Path) -> None:
    path, line = planted(tmp_path, "hears: [m_human]", "hears: [m_humanoid]")
    with pytest.raises(ScriptError, match=rf"planted\.yaml:{line}:\d+: unknown intent 'm_humanoid'"):
        load_script(path)


def test_way_to_the_disclosure_is_shown(tmp_path: Path) -> None:
    path, _ = planted(tmp_path, "goto: verify_why\n", "goto: debt\n")
    found = next(f for f in check_file(path) if f.code == "debt-before-identity")
    assert "open" in found.message and "→debt" in found.message


def test_rows_are_plain_json_objects(tmp_path: Path) -> None:
    path, _ = planted(tmp_path, "title: 还款提醒\n", "")
    rows = check_files([path, find_script("reminder")])
    assert rows == [
        {
            "file": str(path),
            "line": 1,
            "column": 1,
            "severity": "warning",
            "code": "no-title",
            "message": "give the script a `title:`",
        }
    ]


def test_warnings_do_not_forbid_use(tmp_path: Path) -> None:
    path, line = planted(tmp_path, "say: 好的，我为您转接同事。", f"say: {'好的，' * 20}")
    assert [(f.code, f.severity.value, f.line) for f in check_file(path)] == [("long-prompt", "warning", line)]
    assert load_script(path).id == "reminder"


def test_a_missing_file_is_a_finding(tmp_path: Path) -> None:
    assert [f.code for f in check_file(tmp_path / "none.yaml")] == ["file"]
    assert [f.code for f in check_file(tmp_path)] == ["file"]


def test_a_script_cannot_extend_itself(tmp_path: Path) -> None:
    path = tmp_path / "loop.yaml"
    path.write_text("script: loop\nextends: loop\n", encoding="utf-8")
    assert "extends" in [f.code for f in check_file(path)]
