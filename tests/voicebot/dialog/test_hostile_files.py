"""Anything at all as a script: one clear error with its place, in a moment."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from voicebot.dialog.checker import Severity, check_file

BOMB = "script: b\na: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
    for before, name in zip("abcdefghij", "bcdefghijk", strict=True)
)
SELF = "script: s\nnodes: &n\n  a: *n\n"
DEEP = "script: d\nnodes: " + "{a: " * 3000 + "1" + "}" * 3000

HOSTILE: dict[str, tuple[bytes, str, int]] = {
    "bomb": (BOMB.encode(), "too-large", 1),
    "five megabytes": (b"script: x\n" + b"# filled\n" * 560_000, "too-large", 1),
    "binary": (b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 40, "encoding", 2),
    "half a character": (b"script: x\ntitle: \xe4\xbd\n", "encoding", 2),
    "control character": (b"script: x\ntitle: a\x00b\n", "yaml", 2),
    "unclosed": (b"script: x\nnodes: {a: {kind: say\n", "yaml", 3),
    "tab": (b"script: x\nnodes:\n\ta: 1\n", "yaml", 3),
    "same key twice": (b"script: x\nscript: y\n", "yaml", 2),
    "not a mapping": (b"- a\n- b\n", "schema", 1),
    "nothing": (b"", "schema", 1),
    "deep": (DEEP.encode(), "yaml", 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_one_clear_error_at_its_place(name: str, tmp_path: Path) -> None:
    data, code, line = HOSTILE[name]
    file = tmp_path / "x.yaml"
    file.write_bytes(data)
    began = time.process_time()
    found = check_file(file)
    assert [(f.code, f.line) for f in found] == [(code, line)]
    assert len(found[0].message) < 300 and found[0].remedy
    assert time.process_time() - began < 5


def test_an_alias_of_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(SELF)
    assert {f.code for f in check_file(tmp_path / "x.yaml")} == {"schema"}


def test_a_circle_of_files_is_one_error_on_the_line_that_closes_it(tmp_path: Path) -> None:
    for own, other in ("ab", "bc", "ca"):
        (tmp_path / f"{own}.yaml").write_text(f"script: {own}\ntitle: 例\ninclude: [{other}]\n")
    circle = [f for f in check_file(tmp_path / "a.yaml") if f.code == "extends"]
    assert [(Path(f.file).name, f.line) for f in circle] == [("c.yaml", 3)]
    assert "circle" in circle[0].message


def test_a_sub_script_that_plays_itself_is_one_error(tmp_path: Path) -> None:
    text = "script: a\ntitle: 例\nstart: n\nlimit: n\nsilent: n\nvoicemail: n\nnodes:\n  n: {kind: script, script: a}\n"
    (tmp_path / "a.yaml").write_text(text)
    assert [(f.code, f.line) for f in check_file(tmp_path / "a.yaml") if f.code == "sub-script"] == [("sub-script", 8)]


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_script_gives_findings_and_never_an_exception(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    base = (Path(__file__).parents[3] / "docs/reference/script-findings/base.yaml").read_bytes()
    data = bytearray(base)
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(data))
        data[at : at + chance.randint(0, 9)] = bytes(
            chance.choices(b" :-{}[]\"'&*!|>%@\n\t0aeiou\xe4\xff", k=chance.randint(0, 9))
        )
    file = tmp_path / "x.yaml"
    file.write_bytes(bytes(data))
    assert all(f.line >= 1 and f.column >= 1 and f.severity in Severity for f in check_file(file))
