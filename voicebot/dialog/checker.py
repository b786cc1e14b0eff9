"""Checking call scripts for their designers: findings with file, line, column and what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from voicebot.dialog.branch_proof import expectations, shadowed
from voicebot.dialog.catalogue import remedy
from voicebot.dialog.fields import Problem
from voicebot.dialog.loader import read_script, read_text
from voicebot.dialog.prompts import LONGEST, VARIABLE, all_prompts
from voicebot.dialog.script import Kind, Node, Script, Where
from voicebot.dialog.speech_proof import maybe_empty

_PATIENT_S = 15.0
_DANGLING = ("unknown-node", "unknown-variable")
"""With these a script is no whole graph yet, and nothing more can be said about its ways."""


class Severity(StrEnum):
    """An ERROR forbids the use of a script, a WARNING is worth a look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in a script; line and column count from 1. More on a code: docs/reference/script-findings."""

    file: str
    line: int
    column: int
    severity: Severity
    code: str
    message: str
    remedy: str = ""

    def row(self) -> dict[str, object]:
        """As `voicebot script check --json` prints it; the remedy stands on the page of the code."""
        names = ("file", "line", "column", "severity", "code", "message")
        return {name: str(value) if name == "severity" else value for name in names for value in [getattr(self, name)]}


def check_file(path: Path | str) -> list[Finding]:
    """Everything worth knowing about a script, in the order of the file. Never raises."""
    return findings_of(*read_script(Path(path)))


def check_text(source: str, name: str, folders: Iterable[Path | str] = ()) -> list[Finding]:
    """The same for a text in an editor: `name` stands for the file; scripts it rests on are sought in `folders`."""
    return findings_of(*read_text(source, name, folders))


def findings_of(script: Script | None, problems: Collection[Problem]) -> list[Finding]:
    """What `read_script` gave as findings, with the warnings, in the order of the file."""
    found = [_finding(p.where, Severity.ERROR, p.code, p.message) for p in problems]
    if script is not None and not any(problem.code in _DANGLING for problem in problems):
        found += _warnings(script)
    return sorted(dict.fromkeys(found), key=lambda f: (f.file, f.line, f.column, f.code, f.message))


def check_files(paths: Iterable[Path | str]) -> list[dict[str, object]]:
    """Rows for `voicebot script check`: the findings of several files as JSON objects."""
    return [finding.row() for path in paths for finding in check_file(path)]


def _finding(where: Where, severity: Severity, code: str, message: str) -> Finding:
    return Finding(where.file, where.line, where.column, severity, code, message, remedy(code))


def _warnings(script: Script) -> Iterator[Finding]:
    for prompt in all_prompts(script):
        length = len(VARIABLE.sub("某某某某", prompt.text))
        if length > LONGEST:
            message = f"about {length} hanzi in one breath; it will be cut at a comma, better write two sentences"
            yield _finding(prompt.where, Severity.WARNING, "long-prompt", message)
    for problem in (*shadowed(script), *expectations(script), *maybe_empty(script)):
        yield _finding(problem.where, Severity.WARNING, problem.code, problem.message)
    for node in script.nodes.values():
        yield from _node_warnings(node)
    if not script.title:
        yield _finding(Where(script.file, 1, 1), Severity.WARNING, "no-title", "give the script a `title:`")


def _node_warnings(node: Node) -> Iterator[Finding]:
    if node.kind is Kind.ASK and not node.say:
        message = f"node {node.id} listens without having asked anything"
        yield _finding(node.where, Severity.WARNING, "mute-question", message)
    if node.kind is Kind.ASK and node.patience_s > _PATIENT_S:
        message = f"node {node.id} waits {node.patience_s:g} s in silence; callees hang up before that"
        yield _finding(node.where, Severity.WARNING, "long-patience", message)
