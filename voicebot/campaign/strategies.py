"""Strategies: read from YAML, those that ship and those of the installation; mistakes are named by file and step."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from voicebot.domain.campaign import Hours
from voicebot.domain.strategy import Means, Step, Strategy

FOLDER = "strategies"
"""In VOICEBOT_HOME: the installation's own; one of the same id takes the place of ours."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class StrategyError(ValueError):
    """A strategy can't be used; the sentence names the file, the place in it and the remedy."""


def load_strategies(home: Path | None) -> Mapping[str, Strategy]:
    """Every strategy by id. StrategyError for the first that is wrong."""
    shipped = resources.files(__package__).joinpath("data", FOLDER)
    texts = {entry.name: entry.read_text("utf-8") for entry in shipped.iterdir() if entry.name.endswith(".yaml")}
    own = sorted((home / FOLDER).glob("*.yaml")) if home is not None else []
    for file in own:
        try:
            texts[file.name] = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise StrategyError(f"{file} can't be read ({error}): save it as UTF-8") from error
    return {name.removesuffix(".yaml"): parse_strategy(text, name) for name, text in sorted(texts.items())}


def parse_strategy(source: str, name: str) -> Strategy:
    """One strategy; its id is the file's name. StrategyError."""
    try:
        raw = YAML(typ="safe", pure=True).load(source)
    except YAMLError as error:
        raise StrategyError(f"{name} is no YAML: {error}") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("steps"), list) or not raw["steps"]:
        raise StrategyError(f"{name}: `title:` and a list of `steps:` are expected")
    unknown = set(map(str, raw)) - {"title", "steps", "hold_out"}
    if unknown:
        raise StrategyError(f"{name}: unknown key {min(unknown)}; there are title, steps, hold_out")
    title, hold_out = raw.get("title"), raw.get("hold_out", 0.0)
    if not isinstance(title, str) or not title.strip():
        raise StrategyError(f"{name}: give it a title for people")
    if isinstance(hold_out, bool) or not isinstance(hold_out, int | float) or not 0 <= hold_out <= 0.5:
        raise StrategyError(f"{name}: hold_out is a share from 0 to 0.5")
    steps = tuple(_step(step, f"{name}, step {number}") for number, step in enumerate(raw["steps"], 1))
    return Strategy(name.removesuffix(".yaml"), title.strip(), steps, float(hold_out))


def _step(raw: object, where: str) -> Step:
    if not isinstance(raw, dict):
        raise StrategyError(f"{where}: days and either call or message are expected")
    unknown = set(map(str, raw)) - {"days", "call", "message", "hours"}
    if unknown:
        raise StrategyError(f"{where}: unknown key {min(unknown)}; there are days, call, message, hours")
    means = [means for means in Means if means.value in raw]
    if len(means) != 1:
        raise StrategyError(f"{where}: give either call (a script) or message (a template)")
    words = raw[means[0].value]
    if not isinstance(words, str) or not _NAME.fullmatch(words):
        raise StrategyError(f"{where}: {means[0]} names a {'script' if means[0] is Means.CALL else 'template'}")
    return Step(_days(raw.get("days"), where), means[0], words, _hours(raw.get("hours"), where))


def _days(raw: Any, where: str) -> tuple[int, ...]:
    if not isinstance(raw, list) or not raw or not all(type(day) is int and -60 <= day <= 3650 for day in raw):
        raise StrategyError(f"{where}: days is a list of whole numbers from -60 to 3650, such as [1, 7, 15]")
    if len(set(raw)) != len(raw):
        raise StrategyError(f"{where}: a day stands twice")
    return tuple(sorted(raw))


def _hours(raw: Any, where: str) -> Hours | None:
    if raw is None:
        return None
    if not isinstance(raw, list) or len(raw) != 2 or not all(_CLOCK.fullmatch(str(clock)) for clock in raw):
        raise StrategyError(f'{where}: hours are ["15:00", "18:00"], each in quotes')
    first, last = (dt.time.fromisoformat(clock) for clock in raw)
    if first >= last:
        raise StrategyError(f"{where}: the hours end before they begin")
    return first, last
