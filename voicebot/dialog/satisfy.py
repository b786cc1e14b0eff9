"""Satisfy: can a condition hold at all, and does another one hold whenever it does? Tried out, value by value."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voicebot.dialog.expression import NUMBERS, TEXTS, Expression, Value
from voicebot.dialog.vocabulary import INTENTS

_MOST = 20_000
"""Combinations tried; a condition with more of them is taken as one that can hold."""
_COUNTS = ("times", "handled", "passed")
_Atom = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is certain where a condition is asked: intents of which one was heard, and the most a count can be."""

    heard: tuple[str, ...] = ()
    most: Mapping[str, int] | None = None


def can_hold(wanted: Sequence[Expression], never: Sequence[Expression] = (), bounds: Bounds | None = None) -> bool:
    """Whether all of `wanted` and none of `never` can hold at once. False is certain, True may be too kind."""
    bounds = bounds or Bounds()
    everything = [*wanted, *never]
    choices = {atom: _choices(atom, everything, bounds) for atom in dict.fromkeys(_atoms(everything))}
    sizes = 1
    for values in choices.values():
        sizes *= len(values)
    if sizes > _MOST:
        return True
    for values in itertools.product(*choices.values()):
        guess = _Guess(dict(zip(choices, values, strict=True)))
        if all(w.evaluate(guess) for w in wanted) and not any(n.evaluate(guess) for n in never):
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Guess:
    values: Mapping[_Atom, Value]

    def value(self, name: str) -> Value:
        return self.values[name, ()]

    def call(self, function: str, ids: tuple[str, ...]) -> Value:
        return self.values[function, ids]


def _atoms(expressions: Collection[Expression]) -> Iterator[_Atom]:
    for expression in expressions:
        for part in expression.walk():
            if part.op == "call" or (part.op == "name" and part.name != "true"):
                yield part.name, part.ids


def _choices(atom: _Atom, expressions: Collection[Expression], bounds: Bounds) -> Sequence[Value]:
    name, ids = atom
    if name in NUMBERS or name in _COUNTS:
        most = (bounds.most or {}).get(name)
        near = {0} | {n + d for n in _compared(atom, expressions, (int, float)) for d in (-1, 0, 1) if n + d >= 0}
        return sorted(n for n in near if most is None or n <= most)
    if name in TEXTS:
        return [*dict.fromkeys(_compared(atom, expressions, (str,))), "\0"]
    if name == "heard" and bounds.heard and set(bounds.heard) <= family(ids):
        return [True]
    if name.startswith("vars."):
        compared = _compared(atom, expressions, (int, float, str))
        near_values = [n + d for n in compared if not isinstance(n, str) for d in (-1, 0, 1)]
        return [None, True, *compared, *near_values]
    return [False, True]


def _compared(atom: _Atom, expressions: Collection[Expression], types: tuple[type[Any], ...]) -> list[Any]:
    found: list[Any] = []
    for expression in expressions:
        for part in expression.walk():
            if part.op in ("==", "!=", "<", "<=", ">", ">="):
                for one, other in itertools.permutations(part.parts):
                    if (one.name, one.ids) == atom and other.op == "value" and isinstance(other.literal, types):
                        found.append(other.literal)
    return found


def family(ids: Collection[str]) -> set[str]:
    """Intents that ids and families (dp_*) stand for."""
    return {i for name in ids for i in INTENTS if i == name or (name.endswith("*") and i.startswith(name[:-1]))}
