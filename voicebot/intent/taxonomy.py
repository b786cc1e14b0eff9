"""The 115 intents and `unknown`: group, order of priority, which end the debt topic, which stop dialling."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from voicebot.domain.understanding import UNKNOWN, IntentScore

DANGER = frozenset({"vu_selfharm_explicit", "vu_selfharm_veiled"})
"""Danger to self: before everything else, whatever the model says."""


@dataclass(frozen=True, slots=True)
class Intent:
    """One intent. `rank` 0 is heard first: danger to self, other vulnerability, regulator and threats, human and
    do-not-call, identity and third party, dispute, paid, hardship, promise, refusal, delay, questions, small talk.
    `ends_debt`: after it the debt isn't pressed any more in this call. `stops_dialling`: no further automatic call
    until a person has looked at the case."""

    id: str
    zh: str
    group: str
    core: bool
    rank: int
    ends_debt: bool
    stops_dialling: bool


@cache
def taxonomy() -> dict[str, Intent]:
    """All intents by id, in the order of the data file."""
    text = files("voicebot.intent").joinpath("data/taxonomy.json").read_text(encoding="utf-8")
    return {row["id"]: Intent(**row) for row in json.loads(text)}


def rank(intent: str) -> int:
    """Priority of an intent id, 0 first; ids outside the taxonomy come last, beside `unknown`."""
    known = taxonomy()
    return known.get(intent, known[UNKNOWN]).rank


def by_priority(scores: Iterable[IntentScore]) -> tuple[IntentScore, ...]:
    """The same scores in the order in which a dialog has to react to them; equals go by probability."""
    return tuple(sorted(scores, key=lambda score: (rank(score.id), -score.p)))


def ends_debt(intent: str) -> bool:
    return intent in taxonomy() and taxonomy()[intent].ends_debt


def stops_dialling(intent: str) -> bool:
    return intent in taxonomy() and taxonomy()[intent].stops_dialling
