"""Which categories stand, once record, patterns and wording model have each said what they found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """How much a pattern, a fact of the record and a disclosure add to the log chance of their category.

    `lawful_after_all`: above this chance of being lawful, patterns that matched are taken for a coincidence.
    `close`: a second category within this distance of the best stands too, if a pattern found it or the model gives it
    at least `likely`; at any distance if a pattern found it and the model
    gives it at least `matched`.
    """

    pattern: float = 1.5
    fact: float = 3.0
    disclosure: float = 1.0
    lawful_after_all: float = 0.8
    close: float = 0.2
    likely: float = 0.3
    matched: float = 0.1


WEIGHTS = Weights()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found: facts that the record denies, a disclosure, patterns; `chances` of the model by label.

    `suspects`: the labels that the model may speak of in this context; empty when it finds nothing unlawful.
    """

    facts: Set[str]
    disclosure: str | None
    patterns: Set[str]
    lawful: float
    chances: Mapping[str, float]
    suspects: Set[str]


def weigh(evidence: Evidence, weights: Weights = WEIGHTS) -> set[str]:
    """Categories that stand, none when the sentence may be said. Facts and disclosure always stand."""
    patterns = evidence.patterns if evidence.lawful <= weights.lawful_after_all else frozenset[str]()
    certain = set(evidence.facts) | ({evidence.disclosure} if evidence.disclosure else set())
    if not patterns and not evidence.suspects:
        return certain
    scores = {
        label: math.log(evidence.chances[label] + 1e-4) + _bonus(label, evidence, patterns, weights)
        for label in certain | patterns | evidence.suspects
    }
    best = max(scores, key=lambda label: (scores[label], label))
    others = {
        label for label in scores
        if _stands_beside(label, scores[best] - scores[label], evidence, patterns, weights)
    }
    return certain | others | {best}


def _stands_beside(label: str, behind: float, evidence: Evidence, patterns: Set[str], weights: Weights) -> bool:
    """Close behind the best one, or matched by a pattern and not unlikely in itself."""
    chance, matched = evidence.chances[label], label in patterns
    return (behind < weights.close and (matched or chance > weights.likely)) or (matched and chance > weights.matched)


def _bonus(label: str, evidence: Evidence, patterns: Set[str], weights: Weights) -> float:
    return (
        weights.pattern * (label in patterns)
        + weights.fact * (label in evidence.facts)
        + weights.disclosure * (label == evidence.disclosure)
    )
