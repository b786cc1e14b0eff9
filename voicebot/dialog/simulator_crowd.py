"""Crowd: the shipped personas, and as many more as wanted, made of them by other behaviour and other lines."""

from __future__ import annotations

import importlib.resources
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from voicebot.dialog.simulator_persona import Line, Phone


@cache
def shipped_personas() -> tuple[Mapping[str, Any], ...]:
    """The personas of this package, each written by hand; see docs/reference/personas.md."""
    folder = importlib.resources.files(__package__) / "personas"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".jsonl")), key=lambda entry: entry.name)
    return tuple(json.loads(line) for file in files for line in file.read_text("utf-8").splitlines() if line.strip())


def crowd(personas: Sequence[Mapping[str, Any]], count: int, seed: int = 0) -> Iterator[Mapping[str, Any]]:
    """`count` personas: those given, then generated ones, marked `generated` and with what they were made `from`.

    A generated persona answers like its pattern, on a phone or a line that is not perfect; its `expect` is left out.
    """
    chance = random.Random(f"{seed}:crowd")
    for number in range(count):
        pattern = personas[number % len(personas)]
        yield pattern if number < len(personas) else _varied(pattern, number // len(personas), chance)


def _varied(pattern: Mapping[str, Any], lap: int, chance: random.Random) -> Mapping[str, Any]:
    kept = {key: value for key, value in pattern.items() if key != "expect"}
    ways = [(phone, line) for phone in Phone for line in Line if (phone, line) != (Phone.TALKS, Line.CLEAN)]
    phone, line = chance.choice(ways)
    return {
        **kept,
        "id": f"{pattern['id']}-{lap}",
        "from": pattern["id"],
        "generated": True,
        "phone": phone.value,
        "line": line.value,
    }
