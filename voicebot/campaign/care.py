"""Care: how promises, tickets and recaps are handled, read from one YAML file."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from voicebot.domain.outcome import Disposition
from voicebot.domain.payment import PromiseTerms
from voicebot.domain.records import Role
from voicebot.domain.ticket import TicketKind, TicketRule
from voicebot.store.promise_care import Care

_UNITS = {"h": "hours", "d": "days"}
Block = Mapping[str, object]


class CareError(ValueError):
    """The file can't be used; the sentence names file, key and remedy."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """`recaps`: the template of the message after a call that ended so."""

    promises: Care
    tickets: Mapping[TicketKind, TicketRule]
    recaps: Mapping[Disposition, str]


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
    """Read the three blocks. CareError for anything else."""
    try:
        raw = YAML(typ="safe", pure=True).load(source)
    except (YAMLError, ValueError) as error:
        raise CareError(f"{name} is no YAML: {error}") from error
    if not isinstance(raw, dict):
        raise CareError(f"{name}: the blocks promises, tickets and recaps are expected")
    try:
        rules = {kind: _rule(kind, _block(_block(raw, "tickets"), kind.value)) for kind in TicketKind}
        recaps = {Disposition(str(key)): str(value) for key, value in _block(raw, "recaps").items()}
        return FollowUp(_care(_block(raw, "promises"), rules[TicketKind.BROKEN_PROMISE]), rules, recaps)
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
    due = re.fullmatch(r"([1-9]\d{0,2})([hd])", _text(block, "due"))
    if due is None:
        raise CareError(f"tickets.{kind.value}: due must be hours or days, such as 4h or 15d")
    team = _text(block, "team")
    if team not in tuple(Role):
        raise CareError(f"tickets.{kind.value}: team {team} is not one of {', '.join(Role)}")
    lifts = block.get("lifts", [])
    if not isinstance(lifts, list):
        raise CareError(f"tickets.{kind.value}: lifts must be a list of kinds of stops")
    length = dt.timedelta(**{_UNITS[due[2]]: int(due[1])})
    return TicketRule(
        kind, team, length, block.get("suspends") is True, _text(block, "source"), tuple(map(str, lifts))
    )


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
