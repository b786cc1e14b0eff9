"""Grams: Chinese text for a full-text index without a dictionary - single characters, and pairs of neighbours."""

from __future__ import annotations

import re

_RUNS = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|[a-z0-9]+")


def grams(text: str) -> tuple[str, ...]:
    """What a text is found by: each once. Letters and digits stay whole words, in lower case."""
    found: dict[str, None] = {}
    for run in _RUNS.findall(text.lower()):
        found.update(dict.fromkeys(_all(run)))
    return tuple(found)


def sought(term: str) -> tuple[str, ...]:
    """What must be there for a term: its pairs; a single character stands for itself."""
    found: dict[str, None] = {}
    for run in _RUNS.findall(term.lower()):
        found.update(dict.fromkeys(_pairs(run) or (run,)))
    return tuple(found)


def _all(run: str) -> tuple[str, ...]:
    return (run,) if run.isascii() else (*run, *_pairs(run))


def _pairs(run: str) -> tuple[str, ...]:
    return () if run.isascii() else tuple(run[at : at + 2] for at in range(len(run) - 1))
