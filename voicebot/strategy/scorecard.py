"""Scorecard: points per fact, added up and told in words; and the seam for a model that stands in for it. Pure."""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from voicebot.domain.risk import Fact, Facts, Reason, Scored
from voicebot.strategy.policy_text import PolicyError, Section, read

MOST_POINTS = 100
MOST_REASONS = 6


@dataclass(frozen=True, slots=True)
class Bin:
    """Facts that get the same points: numbers in [first, below), or one of `values`."""

    points: int
    first: float = -math.inf
    below: float = math.inf
    values: tuple[str | bool, ...] = ()

    def holds(self, fact: Fact) -> bool:
        if self.values:
            return fact in self.values and (isinstance(fact, bool) == isinstance(self.values[0], bool))
        return isinstance(fact, int | float) and not isinstance(fact, bool) and self.first <= fact < self.below


@dataclass(frozen=True, slots=True)
class Factor:
    """One fact and its points; `words` tells it, `{value}` being the fact. Unknown facts get `unknown` points."""

    fact: str
    words: str
    bins: tuple[Bin, ...]
    unknown: int = 0

    def points(self, fact: Fact) -> int:
        if fact is None:
            return self.unknown
        return next((one.points for one in self.bins if one.holds(fact)), 0)


@dataclass(frozen=True, slots=True)
class Scorecard:
    """`floors`: tiers from the easiest to the hardest with the score at which each begins."""

    name: str
    title: str
    base: int
    factors: tuple[Factor, ...]
    floors: tuple[tuple[str, int], ...]

    @property
    def tiers(self) -> tuple[str, ...]:
        return tuple(tier for tier, _ in self.floors)

    def score(self, facts: Facts) -> Scored:
        """The base and every factor's points, within 0 and 100; reasons by weight."""
        given = [(factor, facts.get(factor.fact)) for factor in self.factors]
        total = self.base + sum(factor.points(fact) for factor, fact in given)
        reasons = [Reason(one.fact, tell(one.words, fact), one.points(fact)) for one, fact in given if one.points(fact)]
        score = max(0, min(100, total))
        return Scored(score, tier_of(self.floors, score), heaviest(reasons))


class Classifier(Protocol):
    """Any model of the scikit-learn kind: columns of numbers in, the chance of each class out."""

    def predict_proba(self, rows: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class ModelScorer:
    """A model in the scorecard's place: the chance of its last class is the score in per cent.

    `columns` are the facts it was trained on, in order, with the value that stands for an unknown one. A reason is
    what the chance would lose if that fact were the usual one.
    """

    name: str
    model: Classifier
    columns: tuple[tuple[str, float], ...]
    floors: tuple[tuple[str, int], ...]

    @property
    def tiers(self) -> tuple[str, ...]:
        return tuple(tier for tier, _ in self.floors)

    def score(self, facts: Facts) -> Scored:
        row = [_number(facts.get(name), usual) for name, usual in self.columns]
        rows = [row, *([*row[:n], usual, *row[n + 1 :]] for n, (_, usual) in enumerate(self.columns))]
        chances = [100 * float(chance[-1]) for chance in self.model.predict_proba(rows)]
        reasons = [
            Reason(name, f"{name}：{tell('{value}', facts.get(name))}", round(chances[0] - chances[n + 1], 1))
            for n, (name, _) in enumerate(self.columns)
        ]
        score = round(max(0.0, min(100.0, chances[0])))
        return Scored(score, tier_of(self.floors, score), heaviest([one for one in reasons if one.points]))


def model_scorer(name: str, floors: Sequence[tuple[str, int]]) -> ModelScorer:
    """The model called `module:object`, installed beside us. PolicyError.

    The object has `predict_proba`, and `columns`: the names of facts in order, or a mapping to their usual values.
    """
    module, _, attribute = name.partition(":")
    try:
        model = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise PolicyError(f"model {name}: {error}; name an installed object as module:object") from error
    columns = getattr(model, "columns", None)
    if not hasattr(model, "predict_proba") or not columns:
        raise PolicyError(f"model {name}: it needs predict_proba and `columns`, the names of the facts it reads")
    usual = dict(columns) if isinstance(columns, dict) else dict.fromkeys(columns, 0.0)
    return ModelScorer(name, model, tuple((str(key), float(value)) for key, value in usual.items()), tuple(floors))


def parse_scorecard(source: str, file: str) -> Scorecard:
    """One scorecard; its name is the file's. PolicyError."""
    top = read(source, file)
    top.only("title", "base", "tiers", "facts")
    floors = [_floor(part) for part in top.sections("tiers", "id and the score from which it holds", "tier")]
    if floors[0][1] != 0 or any(low >= high for (_, low), (_, high) in pairwise(floors)):
        top.fail("tiers", "the first begins at 0, each further one at a higher score")
    factors = tuple(_factor(part) for part in top.sections("facts", "fact, words and points", "fact"))
    if len({factor.fact for factor in factors}) != len(factors):
        top.fail("facts", "a fact stands twice")
    base = top.whole("base", 0, 100, 0) or 0
    title = top.text("title", "give it a title for people", 60)
    return Scorecard(file.removesuffix(".yaml"), title, base, factors, tuple(floors))


def tier_of(floors: Sequence[tuple[str, int]], score: int) -> str:
    return next(tier for tier, floor in reversed(floors) if score >= floor)


def heaviest(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    return tuple(sorted(reasons, key=lambda one: (-abs(one.points), one.fact))[:MOST_REASONS])


def tell(words: str, fact: Fact) -> str:
    """The words with the fact in them."""
    known = {None: "未知", True: "是", False: "否"}
    if fact is None or isinstance(fact, bool):
        value = known[fact]
    else:
        value = fact if isinstance(fact, str) else f"{fact:,.2f}".rstrip("0").rstrip(".")
    return words.replace("{value}", value)


def _floor(part: Section) -> tuple[str, int]:
    part.only("id", "from")
    floor = part.whole("from", 0, 100)
    if floor is None:
        part.fail("from", "the score from which the tier holds")
    return part.name("id", "call the tier something like high"), floor


def _factor(part: Section) -> Factor:
    part.only("fact", "words", "points", "unknown")
    fact = part.text("fact", "name the fact, such as overdue_days", 60)
    bins = tuple(_bin(one) for one in part.sections("points", "bounds or values, and the points they bring", "row"))
    return Factor(
        fact, part.text("words", "say it in words, {value} being the fact", 60), bins,
        part.whole("unknown", -MOST_POINTS, MOST_POINTS, 0) or 0,
    )  # fmt: skip


def _bin(part: Section) -> Bin:
    part.only("from", "below", "is", "points")
    points = part.whole("points", -MOST_POINTS, MOST_POINTS)
    if points is None:
        part.fail("points", f"a whole number from -{MOST_POINTS} to {MOST_POINTS}")
    wanted = part.raw("is")
    if isinstance(wanted, bool):
        return Bin(points, values=(wanted,))
    if wanted is not None:
        return Bin(points, values=part.names("is") or ())
    low, high = _bound(part, "from", -math.inf), _bound(part, "below", math.inf)
    if low >= high:
        part.fail("below", "the upper bound is not above the lower one")
    return Bin(points, low, high)


def _bound(part: Section, key: str, default: float) -> float:
    found = part.raw(key)
    if found is None:
        return default
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        part.fail(key, "a number is expected")
    return float(found)


def _number(fact: Fact, usual: float) -> float:
    return float(fact) if isinstance(fact, int | float) else usual
