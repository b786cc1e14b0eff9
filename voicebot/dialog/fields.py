"""Fields: typed access to a YAML mapping that notes what is wrong, and where, instead of raising."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from voicebot.dialog.script import Where

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a script that cannot stand: where, which rule, and what to do about it."""

    where: Where
    code: str
    message: str


_SHOWN = 40


def shown(value: object) -> str:
    """A value as a message may name it: a collection by its kind alone, a long text cut short."""
    if not isinstance(value, (str, int, float)):
        return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else type(value).__name__
    text = str(value)
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def near(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?` where a known name looks like this one, else nothing."""
    found = difflib.get_close_matches(name, list(known), 1, 0.75)
    return f"; did you mean {found[0]!r}?" if found else ""


class Fields:
    """Reads one file. Every method gives a usable value; problems are appended to `problems`.

    An empty mapping is a problem unless its key is `optional`.
    """

    def __init__(self, file: str, problems: list[Problem], optional: tuple[str, ...]) -> None:
        self._file = file
        self._problems = problems
        self._optional = optional

    # -- scalars

    def text(self, body: CommentedMap, key: str, default: str = "") -> str:
        value = body.get(key, default)
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return str(value)
        self.problem(self.value_at(body, key), "schema", f"`{key}:` must be text")
        return default

    def target(self, body: CommentedMap, key: str) -> str | None:
        return self.text(body, key) if body.get(key) is not None else None

    def flag(self, body: CommentedMap, key: str, default: bool) -> bool:
        value = body.get(key, default)
        if isinstance(value, bool):
            return value
        self.problem(self.value_at(body, key), "schema", f"`{key}:` must be true or false")
        return default

    def number(self, body: CommentedMap, key: str, default: float, low: float, high: float) -> float:
        value = body.get(key, default)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        self.problem(self.value_at(body, key), "schema", f"`{key}:` must be a number from {low:g} to {high:g}")
        return default

    def choice(self, body: CommentedMap, key: str, kind: Callable[[str], _T], default: _T) -> _T:
        try:
            return kind(body[key]) if key in body else default
        except (ValueError, TypeError):
            known = ", ".join(getattr(kind, "__members__", {}).values())
            self.problem(
                self.value_at(body, key), f"unknown-{key}", f"unknown {key} {shown(body[key])}; one of {known}"
            )
            return default

    # -- structure and places

    def map(self, parent: CommentedMap, key: str) -> CommentedMap:
        value = parent.get(key)
        if isinstance(value, CommentedMap):
            return value
        if value is not None:
            self.problem(self.value_at(parent, key), "schema", f"`{key}:` must be a mapping")
        elif key in parent and key not in self._optional:
            self.problem(self.key_at(parent, key), "schema", f"`{key}:` is empty")
        return CommentedMap()

    def list(self, parent: CommentedMap, key: str) -> CommentedSeq:
        value = parent.get(key)
        if isinstance(value, CommentedSeq):
            return value
        if value is not None:
            self.problem(self.value_at(parent, key), "schema", f"`{key}:` must be a list")
        return CommentedSeq()

    def items(self, body: CommentedMap) -> Iterator[tuple[str, object]]:
        for key, value in body.items():
            if isinstance(key, str):
                yield key, value
            else:
                self.problem(self.key_at(body, key), "schema", f"the key {shown(key)} must be text")

    def known(self, body: CommentedMap, keys: tuple[str, ...], what: str) -> None:
        for key in body:
            if key not in keys:
                guess = near(str(key), keys) if isinstance(key, str) else ""
                message = f"unknown key {shown(key)} in {what}{guess or '; known: ' + ', '.join(keys)}"
                self.problem(self.key_at(body, key), "unknown-key", message)

    def problem(self, where: Where, code: str, message: str) -> None:
        self._problems.append(Problem(where, code, message))

    def _at(self, position: object, fallback: object) -> Where:
        for place in (position, fallback):
            if isinstance(place, (tuple, list)) and len(place) == 2:
                return Where(self._file, int(place[0]) + 1, int(place[1]) + 1)
        return Where(self._file, 1, 1)

    def _own(self, body: CommentedMap | CommentedSeq) -> tuple[int, int]:
        return (body.lc.line or 0, body.lc.col or 0)

    def key_at(self, body: CommentedMap, key: object) -> Where:
        found = (body.lc.data or {}).get(key)
        return self._at(tuple(found[:2]) if found else None, self._own(body))

    def value_at(self, body: CommentedMap, key: object) -> Where:
        found = (body.lc.data or {}).get(key)
        return self._at(tuple(found[2:4]) if found else None, self._own(body))

    def item_at(self, body: CommentedSeq, index: int) -> Where:
        found = (body.lc.data or {}).get(index)
        return self._at(tuple(found[:2]) if found else None, self._own(body))
