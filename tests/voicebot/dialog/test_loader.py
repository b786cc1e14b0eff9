"""Any bytes at all: a script or a ScriptError, never anything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voicebot.dialog.checker import check_file
from voicebot.dialog.expression import ExpressionError, parse_expression
from voicebot.dialog.loader import ScriptError, find_script, load_script

REMINDER = find_script("reminder").read_bytes()
FUZZ = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def attempt(folder: Path, data: bytes) -> None:
    path = folder / "fuzz.yaml"
    path.write_bytes(data)
    try:
        load_script(path)
    except ScriptError as error:
        assert str(path) in str(error)
    check_file(path)


@FUZZ
@given(st.binary(max_size=200))
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    attempt(tmp_path, data)


SMALL = b"script: s\nstart: a\nlimit: a\nsilent: a\nvoicemail: a\nnodes:\n  a: {kind: hang_up}\n"
PIECES = [
    b"nodes: 3", b"nodes: [1]", b"  a: {kind: ask, topic: open, say: [1, {text: 2}]}", b"  1: {}", b"  b: {kind: [x]}",
    b"handlers: {x: {hears: [[m_human]]}}", b"policy: {accept: .nan, horizon_days: 1e400}", b"policy: {floor: true}",
    b"silence: {a: b}", b"softeners: {angry: [1]}", b"extends: ../../etc/passwd", b"extends: [a]", b"a: &x [*x]",
    b"  a: {kind: ask, topic: debt, patience: .inf, tries: -1}", b"title: 2026-11-24", b"? [1]\n: 2", b"version: 1.0",
    b"neutral: 3", b"neutral: \xe6\xac\xa0\xe6\xac\xbe", b"  a: {kind: branch, branches: [{if: 'true'}]}", b"<<: 3",
    b"  a: {kind: branch, branches: {x: 1}}", b"start: [a]", b"nodes: {a: {kind: ask, topic: any, do: [[1]]}}",
]  # fmt: skip


@FUZZ
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4))
def test_any_pieces(tmp_path: Path, pieces: list[bytes]) -> None:
    attempt(tmp_path, SMALL + b"\n".join(pieces))
    attempt(tmp_path, b"\n".join([*pieces, SMALL]))


@settings(FUZZ, max_examples=3)
@given(st.integers(0, len(REMINDER) - 1), st.integers(1, 60), st.sampled_from([b"", b"- ", b"{", b": ", b"\n"]))
def test_a_torn_reminder(tmp_path: Path, at: int, length: int, patch: bytes) -> None:
    attempt(tmp_path, REMINDER[:at] + patch + REMINDER[at + length :])


@given(st.text(max_size=60))
def test_any_expression(text: str) -> None:
    try:
        parse_expression(text)
    except ExpressionError as error:
        assert 0 <= error.column <= len(text)


@pytest.mark.parametrize(
    "text",
    ["", "and", "said.date and", "heard()", "heard(m_human", "1 <", "not", "open('x')", "(" * 99, "a.b.c", "'x"],
)
def test_what_is_no_expression(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_expression(text)


def test_errors_name_place_and_remedy(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(SMALL.replace(b"kind: hang_up", b"kind: hangup"))
    with pytest.raises(ScriptError, match=r"bad\.yaml:7:13: unknown kind 'hangup'; one of say, ask"):
        load_script(path)


def test_find_script(tmp_path: Path) -> None:
    mine = tmp_path / "reminder.yaml"
    mine.write_bytes(REMINDER)
    assert find_script("reminder", [tmp_path]) == mine
    assert find_script("reminder").name == "reminder.yaml"
    assert find_script(str(mine)) == mine
    with pytest.raises(FileNotFoundError, match="nothing"):
        find_script("nothing")
    with pytest.raises(FileNotFoundError):
        find_script("../secret")
