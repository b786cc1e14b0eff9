"""Plan: how a bill is paid in parts or later, computed to the fen, and who may agree to it. Pure."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class PlanError(ValueError):
    """These terms make no plan; the message says which figure to change."""


class Step(StrEnum):
    """The time between two parts."""

    WEEK = "week"
    FORTNIGHT = "fortnight"
    MONTH = "month"


class Limit(StrEnum):
    """What an authority bounds."""

    COUNT = "count"  # parts
    EXTENSION = "extension"  # days until the first part
    LENGTH = "length"  # days until the last part
    PART = "part"  # fen of the smallest part
    WAIVER = "waiver"  # per cent of the fees


@dataclass(frozen=True, slots=True)
class Part:
    """One payment."""

    date: dt.date
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Payments in order of their days. `waived_fen` of the bill is given up."""

    parts: tuple[Part, ...]
    waived_fen: int = 0

    @property
    def total_fen(self) -> int:
        return sum(part.amount_fen for part in self.parts)


@dataclass(frozen=True, slots=True)
class Authority:
    """The most that one role may agree to by itself. Days count from today, per cent of the bill's fees."""

    role: str
    most_parts: int
    extension_days: int
    length_days: int
    smallest_part_fen: int
    waiver_percent: int


@dataclass(frozen=True, slots=True)
class Excess:
    """One bound that a plan breaks: what was asked and what is allowed, in the unit of `limit`."""

    limit: Limit
    asked: int
    allowed: int


@dataclass(frozen=True, slots=True)
class Ruling:
    """May this role agree? `approver` is the lowest role that may; None when nobody here may."""

    excesses: tuple[Excess, ...]
    approver: str | None

    @property
    def allowed(self) -> bool:
        return not self.excesses


AUTHORITIES: tuple[Authority, ...] = (
    Authority("agent", 6, 15, 180, 10_000, 0),
    Authority("supervisor", 12, 30, 365, 10_000, 50),
    Authority("admin", 24, 60, 730, 5_000, 100),
)
"""From the least to the most; an installation's own table comes through `authorities_from`."""

BOT = "bot"
"""The role of the voice bot; its rows also name stages and creditor."""

_DAYS: Mapping[Step, int] = MappingProxyType({Step.WEEK: 7, Step.FORTNIGHT: 14})
_MOST_PARTS = 60
_LAST_YEAR = 2999


def instalments(
    due_fen: int,
    count: int,
    first: dt.date,
    step: Step = Step.MONTH,
    *,
    first_fen: int | None = None,
    waived_fen: int = 0,
) -> Plan:
    """Equal parts in whole fen, what can't be divided in the last; `first_fen` sets the first part apart.

    A monthly part falls on the day of the first one, or on the last day of a shorter month. Raises PlanError.
    """
    total = due_fen - waived_fen
    if due_fen <= 0 or waived_fen < 0 or total <= 0:
        raise PlanError("nothing is left to pay: lower the waiver")
    if not 1 <= count <= _MOST_PARTS:
        raise PlanError(f"a plan has 1 to {_MOST_PARTS} parts, not {count}")
    if first.year > _LAST_YEAR:
        raise PlanError(f"the first day is too far away: not after {_LAST_YEAR}")
    amounts = _amounts(total, count, first_fen)
    if min(amounts) <= 0:
        raise PlanError("a part would be empty: fewer parts, or a smaller first one")
    parts = (Part(_day(first, step, index), amount) for index, amount in enumerate(amounts))
    return Plan(tuple(parts), waived_fen)


def extension(due_fen: int, day: dt.date, *, waived_fen: int = 0) -> Plan:
    """The whole bill on a later day. Raises PlanError."""
    return instalments(due_fen, 1, day, waived_fen=waived_fen)


def rule(
    plan: Plan,
    role: str,
    today: dt.date,
    *,
    fees_fen: int | None = None,
    authorities: Sequence[Authority] = AUTHORITIES,
) -> Ruling:
    """Hold a plan against what `role` may agree to. Without known fees nothing may be waived.

    A role that is not in the table may agree to nothing. Raises PlanError for a day that is over.
    """
    if plan.parts[0].date < today:
        raise PlanError("the first day is over: choose today or later")
    asked = _asked(plan, today, fees_fen)
    own = next((authority for authority in authorities if authority.role == role), None)
    approver = next((one.role for one in authorities if not _excesses(asked, one)), None)
    return Ruling(_excesses(asked, own or Authority(role, 0, 0, 0, 0, 0)), approver)


def authorities_from(table: object) -> tuple[Authority, ...]:
    """Read [{"role": …, "most_parts": …, …}], least authority first. PlanError names what is wrong.

    Rows of role `bot` are for offers.py: what the bot may grant says nothing about people.
    """
    if not isinstance(table, list) or not table:
        raise PlanError("the table of authority is a list of roles, the least first")
    return tuple(authority_from(entry) for entry in table if not (isinstance(entry, dict) and entry.get("role") == BOT))


def authority_from(entry: object) -> Authority:
    """One row. PlanError names what is wrong."""
    names = ("most_parts", "extension_days", "length_days", "smallest_part_fen", "waiver_percent")
    if not isinstance(entry, dict) or not isinstance(entry.get("role"), str):
        raise PlanError("each entry of the table of authority names its role")
    for name in names:
        figure = entry.get(name)
        if not isinstance(figure, int) or isinstance(figure, bool) or figure < 0:
            raise PlanError(f"{name} of {entry['role']} must be a whole number from 0")
    return Authority(entry["role"], *(entry[name] for name in names))


def _amounts(total: int, count: int, first_fen: int | None) -> list[int]:
    if first_fen is None or count == 1:
        each = total // count
        return [each] * (count - 1) + [total - each * (count - 1)]
    if not 0 < first_fen < total:
        raise PlanError("the first part must be more than nothing and less than the bill")
    return [first_fen, *_amounts(total - first_fen, count - 1, None)]


def _day(first: dt.date, step: Step, index: int) -> dt.date:
    if step is not Step.MONTH:
        return first + dt.timedelta(days=_DAYS[step] * index)
    months = first.month - 1 + index
    year, month = first.year + months // 12, months % 12 + 1
    return dt.date(year, month, min(first.day, calendar.monthrange(year, month)[1]))


def _asked(plan: Plan, today: dt.date, fees_fen: int | None) -> Mapping[Limit, int]:
    fees = fees_fen or 0
    waived = -(-100 * plan.waived_fen // fees) if fees else 101 * bool(plan.waived_fen)
    return {
        Limit.COUNT: len(plan.parts),
        Limit.EXTENSION: (plan.parts[0].date - today).days,
        Limit.LENGTH: (plan.parts[-1].date - today).days,
        Limit.PART: min(part.amount_fen for part in plan.parts),
        Limit.WAIVER: waived,
    }


def _excesses(asked: Mapping[Limit, int], own: Authority) -> tuple[Excess, ...]:
    most = {
        Limit.COUNT: own.most_parts,
        Limit.EXTENSION: own.extension_days,
        Limit.LENGTH: own.length_days,
        Limit.WAIVER: own.waiver_percent,
    }
    over = [Excess(limit, asked[limit], bound) for limit, bound in most.items() if asked[limit] > bound]
    if asked[Limit.COUNT] > 1 and asked[Limit.PART] < own.smallest_part_fen:
        over.append(Excess(Limit.PART, asked[Limit.PART], own.smallest_part_fen))
    return tuple(over)
