"""The rule pack: every number and word of the rulebook as data, named by the SHA-256 of its bytes."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.resources
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

Band = tuple[dt.time, dt.time]


class RulePackError(ValueError):
    """The pack cannot be used; nobody may be dialled until the operator mends it."""


@dataclass(frozen=True, slots=True)
class RulePack:
    """Figures of one jurisdiction. Bands are local times of day, [from, to)."""

    sha256: str
    jurisdiction: str
    zone: ZoneInfo
    max_call: dt.timedelta
    window: Band
    legal_hours: Band
    noon: Band
    statutory_holidays: bool
    quiet_dates: frozenset[dt.date]
    conversations_per_day: int
    unanswered_per_number_per_day: int
    spacing: dt.timedelta
    reject_stops_the_day: bool
    rolling: dt.timedelta
    conversations_per_rolling: int
    attempts_per_rolling: int
    liable_targets: frozenset[str]
    contact_targets: frozenset[str]
    unreachable_days: int
    attempts_per_contact: int
    suspend: dt.timedelta
    stops: Mapping[str, frozenset[str]]
    sources: Mapping[str, str]


def load_pack(path: Path | None = None) -> RulePack:
    """The pack in `path`, or the one that ships. RulePackError when it cannot be read."""
    return _shipped() if path is None else parse_pack(path.read_bytes())


@cache
def _shipped() -> RulePack:
    return parse_pack((importlib.resources.files(__package__) / "data" / "cn.json").read_bytes())


def parse_pack(data: bytes) -> RulePack:
    """Read a pack from its bytes."""
    try:
        raw = json.loads(data)
        return RulePack(
            sha256=hashlib.sha256(data).hexdigest(),
            jurisdiction=raw["jurisdiction"],
            zone=ZoneInfo(raw["timezone"]),
            max_call=dt.timedelta(minutes=raw["max_call_minutes"]),
            window=_band(raw["window"]),
            legal_hours=_band(raw["legal_hours"]),
            noon=_band(raw["noon"]),
            statutory_holidays=raw["statutory_holidays"],
            quiet_dates=frozenset(map(dt.date.fromisoformat, raw["quiet_dates"])),
            conversations_per_day=raw["conversations_per_day"],
            unanswered_per_number_per_day=raw["unanswered_per_number_per_day"],
            spacing=dt.timedelta(minutes=raw["spacing_minutes"]),
            reject_stops_the_day=raw["reject_stops_the_day"],
            rolling=dt.timedelta(days=raw["rolling_days"]),
            conversations_per_rolling=raw["conversations_per_rolling_days"],
            attempts_per_rolling=raw["attempts_per_rolling_days"],
            liable_targets=frozenset(raw["liable_targets"]),
            contact_targets=frozenset(raw["contact_targets"]),
            unreachable_days=raw["unreachable_days"],
            attempts_per_contact=raw["attempts_per_contact"],
            suspend=dt.timedelta(days=raw["suspend_days"]),
            stops={name: frozenset(kinds) for name, kinds in raw["stops"].items()},
            sources={rule: entry["source"] for rule, entry in raw["rules"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise RulePackError(f"the rule pack cannot be read: {error!r}; restore the last good version") from error


def _band(pair: list[str]) -> Band:
    start, end = (dt.time.fromisoformat(text) for text in pair)
    if start >= end:
        raise ValueError(f"{pair} does not run forward within one day")
    return start, end
