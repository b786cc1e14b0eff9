"""Packs: all rule packs of an installation; those that apply to a request are judged together, the strictest wins.

    VOICEBOT_HOME/rules/*.yaml             further packs, or newer versions of shipped ones (same name)
    VOICEBOT_HOME/rules/calendar-2027.yaml {year: 2027, source: …, holidays: [{name: 元旦, from: 2027-01-01, to: …}]}
"""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.resources
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from voicebot.compliance.holidays import HolidayCalendar
from voicebot.compliance.pack import RulePack, RulePackError, extended, parse_pack, read_yaml
from voicebot.domain.permission import DialRequest

CALENDAR = "calendar-"


@dataclass(frozen=True, slots=True)
class Packs:
    """`laws` by jurisdiction; `own`: stricter terms of creditors; `problems`: files not readable, which forbids."""

    laws: Mapping[str, RulePack]
    own: tuple[RulePack, ...] = ()
    problems: tuple[str, ...] = ()

    def applying(self, request: DialRequest) -> tuple[RulePack, ...]:
        """The packs a request is judged by; none where one of its jurisdictions is unknown."""
        if not request.jurisdictions or any(name not in self.laws for name in request.jurisdictions):
            return ()
        laws = tuple(self.laws[name] for name in dict.fromkeys(request.jurisdictions))
        own = (p for p in self.own if p.jurisdiction in request.jurisdictions and request.creditor_id in p.creditors)
        return (*laws, *own)

    @property
    def all(self) -> tuple[RulePack, ...]:
        return (*self.laws.values(), *self.own)

    def warnings(self, today: dt.date) -> list[str]:
        """What keeps us from dialling, now or soon."""
        unread = [f"规则文件无法读取，已停止拨打：{problem}" for problem in self.problems]
        return unread + [text for pack in self.laws.values() for text in pack.warnings(today)]


def sha256_of(packs: Iterable[RulePack]) -> str:
    """One name for the packs that a verdict rests on; a single pack keeps its own."""
    names = [pack.sha256 for pack in packs]
    return names[0] if len(names) == 1 else hashlib.sha256("".join(names).encode()).hexdigest()


def one_pack(pack: RulePack) -> Packs:
    return Packs({pack.jurisdiction: pack})


@cache
def shipped_packs() -> Packs:
    """The packs that ship with the product."""
    folder = importlib.resources.files(__package__) / "data" / "rules"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return Packs({pack.jurisdiction: pack for pack in (parse_pack(file.read_bytes()) for file in files)})


def load_packs(folder: Path | None = None) -> Packs:
    """The shipped packs with those of a folder. A file that can't be read forbids, and its name says who must act."""
    packs = shipped_packs()
    if folder is None or not folder.is_dir():
        return packs
    files = sorted(folder.glob("*.yaml"))
    calendar, digest, problems = _calendar([f for f in files if f.name.startswith(CALENDAR)])
    laws = {name: _dated(pack, calendar, digest) for name, pack in packs.laws.items()}
    own: list[RulePack] = []
    for file in (f for f in files if not f.name.startswith(CALENDAR)):
        try:
            data = file.read_bytes()
            name = extended(data)
            pack = _dated(parse_pack(data, base=_base(laws, name)), calendar, digest)
        except (RulePackError, OSError, ValueError) as error:
            problems.append(f"{file.name}: {error}")
            continue
        if pack.creditors:
            own.append(pack)
        else:
            laws[pack.jurisdiction] = pack
    return Packs(laws, tuple(own), tuple(problems))


def _base(laws: Mapping[str, RulePack], name: str | None) -> RulePack | None:
    if name is None:
        return None
    found = next((pack for pack in laws.values() if pack.name == name), None)
    if found is None:
        raise RulePackError(f"extends {name!r}, which is no pack here")
    return found


def _dated(pack: RulePack, calendar: HolidayCalendar, digest: bytes) -> RulePack:
    """The pack with the operator's calendar, which its name then covers too."""
    if not digest:
        return pack
    return replace(pack, calendar=calendar, sha256=hashlib.sha256(pack.sha256.encode() + digest).hexdigest())


def _calendar(files: Iterable[Path]) -> tuple[HolidayCalendar, bytes, list[str]]:
    years: dict[int, dict[dt.date, str]] = {}
    digest, problems = b"", []
    for file in files:
        try:
            data = file.read_bytes()
            raw = read_yaml(data)
            years[int(raw["year"])] = dict(_days_off(raw))
            digest = hashlib.sha256(digest + data).digest()
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            problems.append(f"{file.name}: {error!r}")
    return HolidayCalendar(years), digest, problems


def _days_off(raw: Mapping[str, object]) -> Iterable[tuple[dt.date, str]]:
    holidays = raw["holidays"]
    if not isinstance(holidays, list) or not holidays or not str(raw["source"]).strip():
        raise ValueError("holidays and their source are needed")
    for entry in holidays:
        first, last = entry["from"], entry["to"]
        if not dt.date(int(str(raw["year"])), 1, 1) <= first <= last or last.year != raw["year"]:
            raise ValueError(f"{entry} is not within the year")
        for ahead in range((last - first).days + 1):
            yield first + dt.timedelta(days=ahead), str(entry["name"])
