"""Knowledge: cards with what an agent may say, and never, found by word or by what the debtor just meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ruamel.yaml import YAML


@dataclass(frozen=True, slots=True)
class Card:
    """Sentences to read aloud, and those that must not be said. `hears`: beginnings of intents that bring it up."""

    id: str
    title: str
    tags: tuple[str, ...]
    hears: tuple[str, ...]
    say: tuple[str, ...]
    never: tuple[str, ...]


@cache
def cards() -> tuple[Card, ...]:
    """All cards in the order of the file."""
    text = files("voicebot.console").joinpath("knowledge.yaml").read_text(encoding="utf-8")
    return tuple(
        Card(row["id"], row["title"], *(tuple(row[name]) for name in ("tags", "hears", "say", "never")))
        for row in YAML(typ="safe").load(text)
    )


def search(text: str) -> tuple[Card, ...]:
    """Cards in which every word of `text` stands, those with it in title or tags first; all cards for no word."""
    words = text.lower().split()
    found = [card for card in cards() if all(word in _whole(card) for word in words)]
    return tuple(sorted(found, key=lambda card: not all(word in _head(card) for word in words)))


def suggested(intents: Sequence[str], most: int = 2) -> tuple[Card, ...]:
    """Cards for what was meant, newest intent first."""
    found = [card for intent in intents for card in cards() if intent.startswith(card.hears)]
    return tuple(dict.fromkeys(found))[:most]


def _head(card: Card) -> str:
    return " ".join((card.title, *card.tags)).lower()


def _whole(card: Card) -> str:
    return " ".join((card.title, *card.tags, *card.say, *card.never)).lower()
