"""Scorecard: questions with weights, some answered by the machine, some fatal; answers become a score."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from voicebot.quality.automatic import AUTOMATIC

YES, NO, NOT_APPLICABLE = "yes", "no", "na"
ANSWERS = (YES, NO, NOT_APPLICABLE)
_LARGEST = 200_000


class ScorecardError(ValueError):
    """A scorecard cannot be used; the message says where and what to do."""


@dataclass(frozen=True, slots=True)
class Question:
    """`auto` names the check of voicebot/quality/automatic.py that proposes the answer; `fatal`: no means 0 points."""

    id: str
    title: str
    weight: int
    auto: str = ""
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class Scorecard:
    """`passes`: from how many points a call passes. `sha256`: of the file, kept with every review."""

    id: str
    title: str
    passes: float
    questions: tuple[Question, ...]
    sha256: str

    @property
    def by_hand(self) -> tuple[Question, ...]:
        return tuple(question for question in self.questions if not question.auto)

    def score(self, answers: Mapping[str, str]) -> tuple[float, bool]:
        """Points 0–100 (those of questions answered yes, of all answered yes or no), and whether one was fatal.

        ValueError for a question that is not answered, or an answer that is none.
        """
        gained = asked = 0
        fatal = False
        for question in self.questions:
            answer = answers.get(question.id, "")
            if answer not in ANSWERS:
                raise ValueError(f"question {question.id!r} ({question.title}) is answered yes, no or na")
            if answer != NOT_APPLICABLE:
                asked += question.weight
                gained += question.weight * (answer == YES)
            fatal = fatal or (question.fatal and answer == NO)
        return (0.0 if fatal else 100.0 if asked == 0 else round(100 * gained / asked, 1)), fatal


def read_scorecard(data: bytes, name: str) -> Scorecard:
    """Any bytes at all; ScorecardError says what is wrong in the file `name`."""
    if len(data) > _LARGEST:
        raise ScorecardError(f"{name}: larger than {_LARGEST} bytes")
    try:
        told = YAML(typ="safe", pure=True).load(data.decode("utf-8"))
        questions = tuple(_question(row) for row in told["questions"])
        card = Scorecard(
            str(told["scorecard"]), str(told.get("title", "")), float(told.get("pass", 80)), questions,
            hashlib.sha256(data).hexdigest(),
        )  # fmt: skip
    except (YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ScorecardError(f"{name}: not a scorecard ({error}); see docs/reference/quality.md") from error
    ids = [question.id for question in questions]
    if not questions or len(set(ids)) != len(ids) or sum(question.weight for question in questions) <= 0:
        raise ScorecardError(f"{name}: needs questions with ids of their own, and weights above 0 in all")
    return card


def _question(row: Mapping[str, Any]) -> Question:
    auto, weight = str(row.get("auto", "")), row["weight"]
    if auto and auto not in AUTOMATIC:
        raise ValueError(f"no automatic check {auto!r}: one of {', '.join(AUTOMATIC)}")
    if not isinstance(weight, int) or isinstance(weight, bool) or weight < 0:
        raise ValueError(f"question {row['id']!r}: a weight is a whole number, 0 or more")
    return Question(str(row["id"]), str(row["title"]), weight, auto, row.get("fatal") is True)


@cache
def shipped() -> Mapping[str, Scorecard]:
    """The scorecards that come with the program, by id."""
    folder = files("voicebot.quality").joinpath("data/scorecards")
    found = [read_scorecard(file.read_bytes(), file.name) for file in folder.iterdir() if file.name.endswith(".yaml")]
    return {card.id: card for card in sorted(found, key=lambda card: card.id)}


def scorecards(home: Path | None = None) -> Mapping[str, Scorecard]:
    """The shipped ones, and those of the installation (`home/scorecards/*.yaml`) in their places."""
    own: Sequence[Path] = sorted((home / "scorecards").glob("*.yaml")) if home else ()
    found = [read_scorecard(path.read_bytes(), str(path)) for path in own]
    return {**shipped(), **{card.id: card for card in found}}
