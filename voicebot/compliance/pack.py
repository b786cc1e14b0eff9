"""The rule pack: every figure and source of one jurisdiction as data, named by the SHA-256 of its bytes."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from voicebot.compliance.holidays import HolidayCalendar
from voicebot.domain.permission import Band

JUDGED = frozenset(
    {"hours", "quiet", "conversations", "unanswered", "spacing", "rolling", "target", "contact_refused", "suspended"}
    | {"do_not_call", "consent", "says", "caller_id", "recorder", "released", "known", "closed"}
)
"""What of the rulebook a rule of a pack may give parameters to."""


class RulePackError(ValueError):
    """The pack cannot be used; nobody may be dialled until the operator mends it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as its pack tells it; `judges` names what the rulebook reads its `parameters` for."""

    id: str
    title: str
    says: str
    stage: str
    source: str
    status: str
    judges: tuple[str, ...]
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class RulePack:
    """The rules of one jurisdiction, or a creditor's own stricter ones (`creditors` names whose)."""

    sha256: str
    name: str
    version: str
    jurisdiction: str
    zones: tuple[ZoneInfo, ...]
    valid_from: dt.date | None
    valid_to: dt.date | None
    creditors: frozenset[str]
    rules: Mapping[str, Rule]
    calendar: HolidayCalendar

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose days and times answers are given in."""
        return self.zones[0]

    @cached_property
    def _by_part(self) -> dict[str, tuple[Rule, ...]]:
        found: dict[str, tuple[Rule, ...]] = {}
        for rule in self.rules.values():
            for part in rule.judges:
                found[part] = (*found.get(part, ()), rule)
        return found

    def rules_for(self, part: str) -> tuple[Rule, ...]:
        """The rules that give parameters to one part of the rulebook; none where the pack says nothing of it."""
        return self._by_part.get(part, ())

    def figure(self, part: str, name: str, otherwise: int) -> int:
        """A whole number of the first rule for a part."""
        return next((int(rule.parameters[name]) for rule in self.rules_for(part)), otherwise)

    @cached_property
    def stops(self) -> dict[str, frozenset[str]]:
        """Kinds of stop by what they do, in the names of the parameters that list them."""
        named: dict[str, frozenset[str]] = {}
        for rule in self.rules.values():
            for key in ("until_cleared", "suspended", "do_not_call", "contact_refused"):
                named[key] = named.get(key, frozenset()) | frozenset(rule.parameters.get(key, ()))
        return named

    def warnings(self, today: dt.date) -> Iterator[str]:
        """What will keep us from dialling soon if nobody does something about it, in the operator's words."""
        for rule in self.rules_for("quiet"):
            last = self.calendar.last_day(today)
            left = -1 if last is None else (last - today).days
            if rule.parameters["statutory_holidays"] and left < int(rule.parameters["warn_days"]):
                year = today.year if last is None else last.year + 1
                yield (
                    f"{rule.id}：没有 {year} 年的节假日数据，"
                    + (f"{left} 天后（{last} 之后）停止拨打" if left >= 0 else "现在已停止拨打")
                    + f"；请在规则目录放入 calendar-{year}.yaml"
                )
        if self.valid_to is not None and (self.valid_to - today).days < 120:
            yield f"规则包 {self.name} {self.version} 有效期至 {self.valid_to}，之后停止拨打；请放入新版本"


def parse_pack(data: bytes, calendar: HolidayCalendar | None = None, base: RulePack | None = None) -> RulePack:
    """Read a pack from the bytes of its YAML. RulePackError for any that are none.

    `base`: the pack it extends; rules it does not mention stay, parameters it does not mention too.
    """
    try:
        raw = read_yaml(data)
        rules = {rule: _rule(rule, entry, base) for rule, entry in raw["rules"].items()}
        pack = RulePack(
            sha256=hashlib.sha256((base.sha256.encode() if base else b"") + data).hexdigest(),
            name=_text(raw["pack"]),
            version=_text(raw["version"]),
            jurisdiction=base.jurisdiction if base else _text(raw["jurisdiction"]),
            zones=base.zones if base else tuple(ZoneInfo(name) for name in raw["timezones"]),
            valid_from=_date(raw.get("valid_from")),
            valid_to=_date(raw.get("valid_to")),
            creditors=frozenset(map(_text, raw.get("creditors") or ())),
            rules={**(base.rules if base else {}), **rules},
            calendar=calendar or HolidayCalendar(),
        )
        _probe(pack)
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise RulePackError(f"the rule pack cannot be read: {error!r}; restore the last good version") from error
    return pack


def read_yaml(data: bytes) -> Any:
    """YAML of any bytes; ValueError where they are none."""
    try:
        return YAML(typ="safe", pure=True).load(io.BytesIO(data))
    except (YAMLError, UnicodeError, RecursionError) as error:
        raise ValueError(f"not YAML: {error}") from error


def extended(data: bytes) -> str | None:
    """The name of the pack that a pack extends."""
    raw = read_yaml(data)
    name = raw.get("extends") if isinstance(raw, dict) else None
    return None if name is None else str(name)


def band(pair: Any) -> Band:
    """Two local times that run forward within one day."""
    start, end = (dt.time.fromisoformat(text) for text in pair)
    if start >= end:
        raise ValueError(f"{pair} does not run forward within one day")
    return start, end


def _rule(rule: str, entry: Mapping[str, Any], base: RulePack | None) -> Rule:
    known = base.rules.get(rule) if base else None
    judges = tuple(entry.get("judges", known.judges if known else ()))
    strange = set(judges) - JUDGED
    if strange:
        raise ValueError(f"{rule} judges {sorted(strange)}, which nothing in the rulebook reads")
    inherited = known.parameters if known else {}
    return Rule(
        id=rule,
        title=_text(entry.get("title", known.title if known else None)),
        says=_text(entry.get("says", known.says if known else None)),
        stage=_text(entry.get("stage", known.stage if known else None)),
        source=_text(entry.get("source", known.source if known else None)),
        status=_text(entry.get("status", known.status if known else None)),
        judges=judges,
        parameters={**inherited, **entry.get("parameters", {})},
    )


_NEEDED: Mapping[str, Mapping[str, Callable[[Any], object]]] = {
    "hours": {"window": band, "legal_hours": band, "max_call_minutes": int},
    "quiet": {"noon": lambda value: value and band(value), "statutory_holidays": bool, "quiet_dates": list,
              "warn_days": int},
    "conversations": {"conversations_per_day": int},
    "unanswered": {"unanswered_per_number_per_day": int},
    "spacing": {"spacing_minutes": int, "reject_stops_the_day": bool},
    "rolling": {"rolling_days": int, "conversations_per_rolling_days": int, "attempts_per_rolling_days": int},
    "target": {"liable_targets": list, "contact_targets": list, "unreachable_days": int, "attempts_per_contact": int},
    "contact_refused": {"contact_refused": list},
    "suspended": {"until_cleared": list, "suspended": list, "suspend_days": int},
    "do_not_call": {"do_not_call": list},
    "consent": {"consent": str},
    "caller_id": {"verified_within_days": int},
    "recorder": {"recorder_alive_seconds": int, "recorder_free_mib": int},
}  # fmt: skip


def _probe(pack: RulePack) -> None:
    """Every parameter that a judgement will want is there and can be read."""
    for part, needed in _NEEDED.items():
        for rule in pack.rules_for(part):
            for name, read in needed.items():
                read(rule.parameters[name])
    if not pack.zones:
        raise ValueError("timezones: at least one is needed")
    for rule in pack.rules_for("quiet"):
        if not all(isinstance(day, dt.date) for day in rule.parameters["quiet_dates"]):
            raise ValueError("quiet_dates: dates are needed, such as 2026-06-07")


def _text(value: Any) -> str:
    if not isinstance(value, str | dt.date | int | float) or isinstance(value, bool) or not str(value).strip():
        raise ValueError(f"text is needed, not {value!r}")
    return str(value)


def _date(value: Any) -> dt.date | None:
    if value is None or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
        return value
    raise ValueError(f"a date is needed, such as 2026-11-22, not {value!r}")
