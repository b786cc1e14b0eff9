"""The form of a card changes the YAML there and nowhere else."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import pytest

from voicebot.console.script_text import ScriptText, ScriptTextError
from voicebot.dialog.loader import find_script

SOURCE = find_script("reminder").read_text(encoding="utf-8")
SMALL = """\
script: small  # the name
nodes:
  ask:
    kind: ask
    topic: open
    say:
      - text: "您好，{institution}"   # opening
        interruptible: false
      - 请问是您吗？
    tries: 2
    branches: &ways
      - hears: [m_affirm, m_deny]
        if: said.date
        do: [take_promise]
        goto: end
      - if: "true"
        goto: other
  other:
    kind: ask
    topic: any
    say: 还有呢？
    branches: *ways
  end:
    kind: hang_up
"""


def changed(before: str, after: str) -> Sequence[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in lines if line[0] in "+-" and line[:3] not in ("+++", "---")]


def rewritten(source: str, name: str, **values: object) -> str:
    text = ScriptText(source)
    form = text.card(name)
    assert form is not None
    text.write("nodes", name, form | values)
    return text.text()


def test_writing_a_form_back_as_it_was_changes_not_one_byte() -> None:
    text = ScriptText(SOURCE)
    for name in ("open", "verify", "debt", "confirm", "thanks", "crisis"):
        form = text.card(name)
        assert form is not None
        text.write("nodes", name, form)
    assert text.text() == SOURCE


def test_one_line_is_one_line_of_difference() -> None:
    say = [
        {"at": 0, "text": "您好，{institution}", "if": "", "must_hear": True},
        {"at": 1, "text": "是您吗？", "if": "", "must_hear": False},
    ]
    assert changed(SMALL, rewritten(SMALL, "ask", say=say)) == ["-      - 请问是您吗？", "+      - 是您吗？"]
    assert changed(SMALL, rewritten(SMALL, "ask", tries="3")) == ["-    tries: 2", "+    tries: 3"]


def test_ways_that_two_cards_share_part_when_one_changes() -> None:
    form = ScriptText(SMALL).card("other")
    assert form is not None
    ways = [form["branches"][0] | {"goto": "ask"}, form["branches"][1]]
    after = ScriptText(rewritten(SMALL, "other", branches=ways))
    first, other = after.card("ask"), after.card("other")
    assert first is not None and other is not None
    assert [way["goto"] for way in first["branches"]] == ["end", "other"]
    assert [way["goto"] for way in other["branches"]] == ["ask", "other"]


def test_a_way_can_be_added_moved_and_taken_out() -> None:
    form = ScriptText(SMALL).card("ask")
    assert form is not None
    new = {"at": None, "hears": ["m_human"], "if": "", "say": [], "do": ["disposition: refusal"], "goto": "end"}
    after = ScriptText(rewritten(SMALL, "ask", branches=[new, form["branches"][1]])).card("ask")
    assert after is not None
    assert [(way["hears"], way["goto"]) for way in after["branches"]] == [(["m_human"], "end"), ([], "other")]
    assert after["branches"][0]["do"] == ["disposition: refusal"]


def test_what_the_form_does_not_know_stays() -> None:
    source = SMALL.replace("    tries: 2\n", "    tries: 2\n    barge_in: false\n")
    after = rewritten(source, "ask", topic="debt")
    assert "barge_in: false" in after and "# opening" in after and "topic: debt" in after


def test_an_inherited_card_is_written_as_what_differs() -> None:
    child = ScriptText("script: child\nextends: small\n", ScriptText(SMALL))
    form = child.card("other")
    assert form is not None and not child.own("nodes", "other")
    child.write("nodes", "other", form | {"tries": "1"})
    assert child.text() == "script: child\nextends: small\nnodes:\n  other:\n    tries: 1\n"
    again = child.card("other")
    assert again is not None and again["say"][0]["text"] == "还有呢？"
    child.remove("nodes", "other")
    assert child.card("other") == form


@pytest.mark.parametrize("kind", ["ask", "say", "branch", "transfer", "hang_up", "message"])
def test_new_cards_of_every_kind_come_at_the_end(kind: str) -> None:
    text = ScriptText(SMALL)
    text.add("fresh", kind, "end")
    form = ScriptText(text.text()).card("fresh")
    assert form is not None and form["kind"] == kind
    with pytest.raises(ScriptTextError, match="already"):
        text.add("fresh", kind)


@pytest.mark.parametrize("source", ["", "- a\n- b", "a: [", "a: &x *x", "\0", "a: b: c"])
def test_what_is_no_mapping_is_refused_in_a_sentence(source: str) -> None:
    with pytest.raises(ScriptTextError):
        ScriptText(source)
