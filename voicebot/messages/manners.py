"""Manners: how often, when, and despite which stops each channel may be used; data in channels.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from voicebot.domain.message import MessageChannel


class MannersError(ValueError):
    """The file can't be used; the sentence names file, channel and remedy."""


@dataclass(frozen=True, slots=True)
class Manner:
    """`at_any_hour`: it disturbs nobody. `steps_in`: it may stand in for a channel that failed."""

    per_day: int
    per_week: int
    at_any_hour: bool = False
    despite: frozenset[str] = frozenset()
    steps_in: bool = True


Manners = Mapping[MessageChannel, Manner]
"""In the order in which channels step in for one another."""


@cache
def shipped_manners() -> Manners:
    """What comes with the product."""
    return parse_manners(resources.files(__package__).joinpath("channels.yaml").read_text("utf-8"), "channels.yaml")


def load_manners(path: Path | None) -> Manners:
    """The operator's file, or ours. MannersError."""
    if path is None:
        return shipped_manners()
    try:
        return parse_manners(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise MannersError(f"{path} can't be read ({error}): name a UTF-8 file in VOICEBOT_CHANNELS") from error


def parse_manners(source: str, name: str) -> Manners:
    """Read `channel: {…}`, every channel once. MannersError for anything else."""
    try:
        raw = YAML(typ="safe", pure=True).load(source)
    except (YAMLError, ValueError) as error:
        raise MannersError(f"{name} is no YAML: {error}") from error
    if not isinstance(raw, dict) or set(map(str, raw)) != set(MessageChannel):
        raise MannersError(f"{name}: a line for each of {', '.join(MessageChannel)} is expected, and no other")
    return {MessageChannel(str(key)): _manner(name, str(key), value) for key, value in raw.items()}


def _manner(name: str, channel: str, raw: object) -> Manner:
    known = {"per_day", "per_week", "hours", "despite", "steps_in"}
    if not isinstance(raw, dict) or not set(map(str, raw)) <= known:
        raise MannersError(f"{name}: {channel}: only {', '.join(sorted(known))} can be said")
    caps = [raw.get(key) for key in ("per_day", "per_week")]
    if not all(isinstance(cap, int) and not isinstance(cap, bool) and 0 <= cap < 100 for cap in caps):
        raise MannersError(f"{name}: {channel}: per_day and per_week must be whole numbers from 0 to 99")
    if raw.get("hours") not in ("calls", "any"):
        raise MannersError(f"{name}: {channel}: hours must be calls or any")
    despite = raw.get("despite", [])
    if not isinstance(despite, list) or not all(isinstance(one, str) for one in despite):
        raise MannersError(f"{name}: {channel}: despite must be a list of stops")
    day, week = (int(str(cap)) for cap in caps)
    return Manner(day, week, raw["hours"] == "any", frozenset(despite), raw.get("steps_in", True) is True)
