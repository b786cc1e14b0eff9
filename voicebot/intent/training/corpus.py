"""The hand-written utterances: eleven hands to train on, a twelfth as development check that training never sees."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from importlib.resources import files

WRITERS = (
    "educated", "elders", "jiangnan", "north", "offices", "plateau", "riders", "south", "southwest", "trades", "young",
    "taxonomy",
)
"""Hands that are trained on; `taxonomy` holds the examples that stand beside each intent's definition."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What a callee said after a question on `topic`. `labels`: main one first. `emotion`: None where nobody judged."""

    text: str
    labels: tuple[str, ...]
    emotion: str | None
    topic: str
    writer: str


def _read(name: str) -> list[Utterance]:
    packed = files("voicebot.intent.training").joinpath(f"data/{name}.jsonl.gz").read_bytes()
    rows = (json.loads(line) for line in gzip.decompress(packed).decode().splitlines())
    return [Utterance(r["text"], tuple(r["labels"]), r["emotion"], r["context"], r["writer"]) for r in rows]


def training_set() -> list[Utterance]:
    """All utterances of the hands that may be trained on, in file order."""
    return [row for writer in WRITERS for row in _read(f"train-{writer}")]


def heard_set() -> list[tuple[Utterance, str]]:
    """A sample of the development hand as the embedded recogniser heard it, each with the text that was meant."""
    return _heard("dev-heard")


def misheard_set() -> list[tuple[Utterance, str]]:
    """The same of the training hands: what the recogniser makes of them is trained on too."""
    return _heard("train-heard")


def _heard(name: str) -> list[tuple[Utterance, str]]:
    path = files("voicebot.intent.training").joinpath(f"data/{name}.jsonl.gz")
    if not path.is_file():
        return []
    meant = [json.loads(line)["meant"] for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    return list(zip(_read(name), meant, strict=True))


def development_set() -> list[Utterance]:
    """A hand of its own: for figures and choices, never for weights."""
    return _read("dev-plain")
