"""Hints: one line for the agent about what the callee has just said, from a catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ruamel.yaml import YAML

from voicebot.domain.understanding import Understanding

SURE = 0.5
"""Probability from which an intent or an emotion is worth a hint."""


@dataclass(frozen=True, slots=True)
class Hint:
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class _Row:
    hint: Hint
    hears: frozenset[str]
    feels: frozenset[str]


def hint_for(understanding: Understanding) -> Hint | None:
    """The most important hint, in the order of the catalogue; None where there is nothing to say."""
    heard = {score.id for score in understanding.intents if score.p >= SURE}
    emotion = understanding.emotion
    felt = {emotion.label.value} if emotion.p >= SURE else set()
    for row in catalogue():
        if row.hears & heard or row.feels & felt or (understanding.danger and row.hint.kind == "danger"):
            return row.hint
    return None


@cache
def catalogue() -> tuple[_Row, ...]:
    """The rows of data/hints.yaml, most important first."""
    text = files("voicebot.pipeline").joinpath("data/hints.yaml").read_text(encoding="utf-8")
    return tuple(
        _Row(
            Hint(str(row["kind"]), str(row["text"])),
            frozenset(map(str, row.get("hears", ()))),
            frozenset(map(str, row.get("feels", ()))),
        )
        for row in YAML(typ="safe").load(text)
    )
