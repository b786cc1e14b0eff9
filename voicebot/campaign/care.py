"""Care: how promises, tickets, recaps and redial are handled, read from one YAML file."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from voicebot.campaign.redial import RedialPolicy, Wait
from voicebot.domain.outcome import Disposition
from voicebot.domain.payment import PromiseTerms
from voicebot.domain.records import Role
from voicebot.domain.ticket import TicketKind, TicketRule
from voicebot.store.promise_care import Care

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_NOBODY_SPOKE = frozenset({Disposition.VOICEMAIL, Disposition.NO_INPUT})
"""Answered, and yet nobody was reached."""
Block = Mapping[str, object]


class CareError(ValueError):
    """The file can't be used; the sentence names file, key and remedy."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """`recaps`: the template of the message after a call that ended so."""

    promises: Care
    tickets: Mapping[TicketKind, TicketRule]
    recaps: Mapping[Disposition, str]
    redial: RedialPolicy


def load_follow_up(path: Path | None = None) -> FollowUp:
    """The operator's file, or ours. CareError."""
    if path is None:
        ours = resources.files(__package__).joinpath("follow_up.yaml")
        return parse_follow_up(ours.read_text("utf-8"), "follow_up.yaml")
    try:
        return parse_follow_up(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise CareError(f"{path} can't be read ({error}): name a UTF-8 file in VOICEBOT_FOLLOW_UP") from error


def parse_follow_up(source: str, name: str) -> FollowUp:
    """Read the four blocks. CareError for anything else."""
    try:
        raw = YAML(typ="safe", pure=True).load(source)
    except (YAMLError, ValueError) as error:
        raise CareError(f"{name} is no YAML: {error}") from error
    if not isinstance(raw, dict):
        raise CareError(f"{name}: the blocks promises, tickets, recaps and redial are expected")
    try:
        rules = {kind: _rule(kind, _block(_block(raw, "tickets"), kind.value)) for kind in TicketKind}
        recaps = {Disposition(str(key)): str(value) for key, value in _block(raw, "recaps").items()}
        promises = _care(_block(raw, "promises"), rules[TicketKind.BROKEN_PROMISE])
        return FollowUp(promises, rules, recaps, _redial(_block(raw, "redial")))
    except CareError as error:
        raise CareError(f"{name}: {error}") from error
    except ValueError as error:
        raise CareError(f"{name}: {error}") from error


def _care(block: Block, rule: TicketRule) -> Care:
    share, partly = _number(block, "kept_share", 0.01, 1), _number(block, "partly_share", 0, 1)
    terms = PromiseTerms(int(_number(block, "grace_days", 0, 60)), share, partly)
    if partly > share:
        raise CareError("promises: partly_share is above kept_share; make it smaller")
    scripts = (_text(block, "day_script"), _text(block, "missed_script"))
    return Care(terms, rule, *scripts, human_after=int(_number(block, "human_after", 1, 99)))


def _rule(kind: TicketKind, block: Block) -> TicketRule:
    where = f"tickets.{kind.value}"
    due = _length(where, block, "due", "hd")
    team = _text(block, "team")
    if team not in tuple(Role):
        raise CareError(f"{where}: team {team} is not one of {', '.join(Role)}")
    lifts = block.get("lifts", [])
    if not isinstance(lifts, list):
        raise CareError(f"{where}: lifts must be a list of kinds of stops")
    return TicketRule(kind, team, due, block.get("suspends") is True, _text(block, "source"), tuple(map(str, lifts)))


def _redial(block: Block) -> RedialPolicy:
    after = _block(block, "after")
    waits = {Disposition(key): _wait(key, _block(after, key)) for key in map(str, after)}
    for disposition in waits:
        if disposition.talked and disposition not in _NOBODY_SPOKE:
            raise CareError(f"redial.after: {disposition.value} is an answer, after which nobody is rung: take it out")
    return RedialPolicy(MappingProxyType(waits), int(_number(block, "most_tries", 1, 50)))


def _wait(name: str, block: Block) -> Wait:
    where = f"redial.after.{name}"
    base, longest = _length(where, block, "wait", "mhd"), _length(where, block, "longest", "mhd")
    if longest < base:
        raise CareError(f"{where}: longest is shorter than wait; make it longer")
    return Wait(base, longest, int(_number(block, "tries", 1, 50)), block.get("next_day") is True)


def _length(where: str, block: Block, key: str, units: str) -> dt.timedelta:
    found = re.fullmatch(rf"([1-9]\d{{0,2}})([{units}])", str(block.get(key)))
    if found is None:
        names = " or ".join(_UNITS[unit] for unit in units)
        raise CareError(f"{where}: {key} must be {names}, such as 4h or 15d")
    return dt.timedelta(**{_UNITS[found[2]]: int(found[1])})


def _block(raw: Block, key: str) -> Block:
    value = raw.get(key)
    if not isinstance(value, dict):
        raise CareError(f"the block {key} is missing")
    return value


def _text(block: Block, key: str) -> str:
    value = block.get(key)
    if not isinstance(value, str) or not value.strip():
        raise CareError(f"{key}: a text is needed")
    return value.strip()


def _number(block: Block, key: str, least: float, most: float) -> float:
    value = block.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise CareError(f"{key}: a number from {least:g} to {most:g} is needed")
    return float(value)
