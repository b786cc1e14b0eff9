"""Loading call scripts: a script that loads may be used; one that does not says where and why."""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from voicebot.dialog.changes import changed_nodes
from voicebot.dialog.expansion import promise_locks, sub_scripts
from voicebot.dialog.fields import Problem
from voicebot.dialog.parcel import opened
from voicebot.dialog.proof import examine
from voicebot.dialog.reading import LARGEST, Draft, build, read_draft
from voicebot.dialog.script import Node, Script, Where

_SUFFIX = ".yaml"
PARTS = "parts"
"""Folder beside scripts for those that are only included or played inside others."""
_DEEPEST = 12
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
    shelves = _Shelves((path.parent,))
    return _built(*_file(path, shelves))


def read_text(source: str, name: str, folders: Iterable[Path | str] = ()) -> tuple[Script | None, list[Problem]]:
    """The same for a text that is no file: `name` stands for it in problems, what it names is sought in `folders`."""
    shelves = _Shelves(tuple(Path(folder) for folder in folders))
    return _built(*_opened(source.encode("utf-8", "surrogatepass"), name, shelves))


def _built(draft: Draft, shelves: _Shelves) -> tuple[Script | None, list[Problem]]:
    if draft.problems and draft.top is None:
        return None, draft.problems
    draft = _expanded(draft, shelves)
    script = build(draft)
    problems = list(draft.problems)
    if script is not None:
        problems += examine(script)
    return script, problems


# -- files that name other files


@dataclass(frozen=True, slots=True)
class _Shelves:
    """Where scripts named in scripts are looked for, and those that are being read already."""

    folders: tuple[Path, ...]
    seen: frozenset[str] = frozenset()
    carried: Mapping[str, str] = field(default_factory=dict)

    def read(self, name: str) -> tuple[Draft, _Shelves] | str:
        """The script called `name` and what may be read from there, or why there is none."""
        found = next((path for path in _candidates(name, list(self.folders)) if path.is_file()), None)
        key = name if name in self.carried else str(found and found.resolve())
        if key in self.seen:
            return "it rests on itself in a circle"
        inside = replace(self, seen=self.seen | {key})
        if len(inside.seen) > _DEEPEST:
            return f"scripts rest on each other more than {_DEEPEST} deep"
        if name in self.carried:
            return _whole(read_known(self.carried[name].encode(), name), inside), inside
        return _file(found, inside) if found else "no such script beside it or among the shipped ones"


def _file(path: Path, shelves: _Shelves) -> tuple[Draft, _Shelves]:
    try:
        data = path.read_bytes() if path.stat().st_size <= MOST else b" " * (MOST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        problem = Problem(Where(str(path), 1, 1), "file", f"cannot read the script: {reason}; check the path")
        return Draft(str(path), problems=[problem]), shelves
    return _opened(data, str(path), replace(shelves, seen=shelves.seen | {str(path.resolve())}))


def _opened(data: bytes, name: str, shelves: _Shelves) -> tuple[Draft, _Shelves]:
    """A script that may carry others (see parcel.py); its hash is that of all of it."""
    own, carried = opened(data.decode("utf-8", "surrogateescape"))
    shelves = replace(shelves, carried={**carried, **shelves.carried})
    draft = _whole(read_known(own.encode("utf-8", "surrogateescape"), name), shelves)
    return replace(draft, sha256=hashlib.sha256(data).hexdigest()), shelves


@functools.lru_cache(maxsize=64)
def read_known(data: bytes, name: str) -> Draft:
    """`read_draft`, remembered: an editor checks the same base again and again. Nobody may change what it gives."""
    return read_draft(data, name)


def _whole(draft: Draft, shelves: _Shelves) -> Draft:
    """With everything of the scripts it includes or extends that it does not say itself; the first named wins."""
    below = [(name, where, "include") for name, where in draft.include]
    if parent := draft.words.get("extends"):
        below.append((parent, draft.places.get("extends", Where(draft.file, 1, 1)), "extends"))
    if not below:
        return draft
    problems, bases = list(draft.problems), []
    for name, where, key in below:
        found = shelves.read(name)
        if isinstance(found, str):
            problems.append(Problem(where, "extends", f"{key}: {name}: {found}"))
        else:
            bases.append(found[0])
    draft = replace(draft, problems=problems)
    return _over(draft, functools.reduce(_over, bases)) if bases else draft


def _over(draft: Draft, base: Draft) -> Draft:
    """`draft` where it says something, else `base`."""
    own = {handler.name for handler in draft.handlers}
    inherits_tone = draft.tone is None and draft.stage is None and base.tone is not None  # they belong together
    problems = base.problems + draft.problems
    draft = replace(draft, problems=problems)
    return replace(
        draft,
        nodes=base.nodes | changed_nodes(draft, base),
        changes=set(),
        handlers=draft.handlers + [handler for handler in base.handlers if handler.name not in own],
        policy=base.policy | draft.policy,
        words={k: v for k, v in base.words.items() if k != "extends"} | draft.words,
        softeners=base.softeners | draft.softeners,
        silence=draft.silence or base.silence,
        stage=draft.stage or base.stage,
        tone=base.tone if inherits_tone else draft.tone,
        places={**draft.places, **({"tone": base.places["tone"]} if inherits_tone else {})},
        variables=base.variables | draft.variables,
    )


def _expanded(draft: Draft, shelves: _Shelves) -> Draft:
    """With sub-scripts in their places and promise locks written out."""
    problems = list(draft.problems)

    def nodes_of(part: Draft, inside: _Shelves) -> dict[str, Node]:
        def read(name: str, where: Where) -> tuple[Mapping[str, Node], str] | None:
            found = inside.read(name)
            if isinstance(found, str):
                problems.append(Problem(where, "sub-script", f"script: {name}: {found}"))
                return None
            other, deeper = found
            problems.extend(other.problems)
            start = other.words.get("start", "")
            if start not in other.nodes:
                problems.append(Problem(where, "sub-script", f"script: {name}: it has no node to `start:` with"))
                return None
            return nodes_of(other, deeper), start

        return sub_scripts(part.nodes, read, problems)

    nodes = promise_locks(nodes_of(draft, shelves))
    return replace(draft, nodes=nodes, problems=problems)


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
    return [place / (stem + _SUFFIX) for folder in [*folders, *shipped] for place in (folder, folder / PARTS)]
