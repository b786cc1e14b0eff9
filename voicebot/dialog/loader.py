"""Loading call scripts: a script that loads may be used; one that does not says where and why."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from voicebot.dialog.changes import changed_nodes
from voicebot.dialog.fields import Problem
from voicebot.dialog.parcel import opened
from voicebot.dialog.proof import examine
from voicebot.dialog.reading import LARGEST, Draft, build, read_draft
from voicebot.dialog.script import Script, Where

_SUFFIX = ".yaml"
MOST = 10 * LARGEST
"""Bytes of a script and all it carries."""


class ScriptError(ValueError):
    """A call script cannot be used. The text is `file:line:column: what is wrong and what to do`."""

    def __init__(self, where: Where, message: str, more: int = 0) -> None:
        rest = f" (and {more} more; `voicebot script check` lists them all)" if more else ""
        super().__init__(f"{where.file}:{where.line}:{where.column}: {message}{rest}")
        self.where = where


def load_script(path: Path | str) -> Script:
    """Read, check and build a script; ScriptError for anything at all that makes it unusable."""
    script, problems = read_script(Path(path))
    if script is None or problems:
        first = problems[0]
        raise ScriptError(first.where, first.message, len(problems) - 1)
    return script


def read_script(path: Path) -> tuple[Script | None, list[Problem]]:
    """The script (None when it cannot be built) and everything that forbids its use."""
    return _built(_file(path, _Shelves((path.parent,))))


def read_text(source: str, name: str, folders: Iterable[Path | str] = ()) -> tuple[Script | None, list[Problem]]:
    """The same for a text that is no file: `name` stands for it in problems, what it names is sought in `folders`."""
    shelves = _Shelves(tuple(Path(folder) for folder in folders))
    return _built(_opened(source.encode("utf-8", "surrogatepass"), name, shelves))


def _built(draft: Draft) -> tuple[Script | None, list[Problem]]:
    if draft.problems and draft.top is None:
        return None, draft.problems
    script = build(draft)
    problems = list(draft.problems)
    if script is not None:
        problems += examine(script)
    return script, problems


@dataclass(frozen=True, slots=True)
class _Shelves:
    """Where scripts named in scripts are looked for, and those that are being read already."""

    folders: tuple[Path, ...]
    seen: frozenset[str] = frozenset()
    carried: Mapping[str, str] = field(default_factory=dict)

    def find(self, name: str) -> Path | None:
        return next((path for path in _candidates(name, list(self.folders)) if path.is_file()), None)

    def read(self, name: str) -> Draft | str:
        """The script called `name`, or why there is none."""
        found = self.find(name)
        key = name if name in self.carried else str(found and found.resolve())
        if key in self.seen:
            return "it rests on itself in a circle"
        inside = replace(self, seen=self.seen | {key})
        if name in self.carried:
            return _whole(read_draft(self.carried[name].encode(), name), inside)
        return _file(found, inside) if found else "no such script beside it or among the shipped ones"


def _file(path: Path, shelves: _Shelves) -> Draft:
    try:
        data = path.read_bytes() if path.stat().st_size <= MOST else b" " * (MOST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        problem = Problem(Where(str(path), 1, 1), "file", f"cannot read the script: {reason}; check the path")
        return Draft(str(path), problems=[problem])
    return _opened(data, str(path), replace(shelves, seen=shelves.seen | {str(path.resolve())}))


def _opened(data: bytes, name: str, shelves: _Shelves) -> Draft:
    """A script that may carry others (see parcel.py); its hash is that of all of it."""
    own, carried = opened(data.decode("utf-8", "surrogateescape"))
    draft = read_draft(own.encode("utf-8", "surrogateescape"), name)
    draft.sha256 = hashlib.sha256(data).hexdigest()
    return _whole(draft, replace(shelves, carried={**carried, **shelves.carried}))


def _whole(draft: Draft, shelves: _Shelves) -> Draft:
    """`extends: reminder` takes over everything of that script which this file does not say itself."""
    parent = draft.words.get("extends")
    if not parent:
        return draft
    base = shelves.read(parent)
    if isinstance(base, str):
        where = draft.places.get("extends", Where(draft.file, 1, 1))
        draft.problems.append(Problem(where, "extends", f"extends: {parent}: {base}"))
        return draft
    own = {handler.name for handler in draft.handlers}
    draft.problems = base.problems + draft.problems
    draft.nodes = base.nodes | changed_nodes(draft, base)
    draft.handlers = draft.handlers + [handler for handler in base.handlers if handler.name not in own]
    draft.policy = base.policy | draft.policy
    draft.words = {k: v for k, v in base.words.items() if k != "extends"} | draft.words
    draft.softeners = base.softeners | draft.softeners
    draft.silence = draft.silence or base.silence
    return draft


def find_script(name: str, folders: Iterable[Path | str] = ()) -> Path:
    """Where a script lies: a path as it is, else `name` in `folders`, the source tree or the installed wheel.

    FileNotFoundError names the folders that were searched.
    """
    if Path(name).suffix in (_SUFFIX, ".yml") and Path(name).is_file():
        return Path(name)
    candidates = list(_candidates(name, [Path(folder) for folder in folders]))
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        searched = ", ".join(str(path.parent) for path in candidates)
        raise FileNotFoundError(f"no call script {name!r} in {searched}; set VOICEBOT_SCRIPTS or give a path")
    return found


def _candidates(name: str, folders: list[Path]) -> list[Path]:
    package = Path(__file__).resolve().parent.parent
    shipped = [package.parent / "scripts", package / "scripts", Path(sys.prefix) / "share/voicebot/scripts"]
    stem = name.removesuffix(_SUFFIX)
    if not stem or "/" in stem or "\\" in stem or "\0" in stem:
        return []
    return [folder / (stem + _SUFFIX) for folder in [*folders, *shipped]]
