"""Agreement: what an agent enters about payments, turned into a plan and held against their authority."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from voicebot.console.words import Words
from voicebot.domain.case import Case
from voicebot.domain.plan import (
    AUTHORITIES,
    Authority,
    Excess,
    Limit,
    Part,
    Plan,
    PlanError,
    Ruling,
    Step,
    authorities_from,
    instalments,
    rule,
)

log = structlog.get_logger(__name__)
Kind = Literal["none", "promise", "plan"]


@dataclass(frozen=True, slots=True)
class Terms:
    """A promise is one sum on one day, the whole bill where no sum is given; a plan pays the bill in `count` parts."""

    kind: Kind = "none"
    date: dt.date | None = None
    amount_fen: int | None = None
    count: int = 1
    step: Step = Step.MONTH
    first_fen: int | None = None
    waived_fen: int = 0


AUTHORITY_FILE = "authority.json"
"""In VOICEBOT_HOME: an installation's own table, a list of roles with their bounds, the least authority first."""


def load_authorities(home: Path) -> tuple[Authority, ...]:
    """The installation's table, the shipped one where there is none. With one that can't be read nobody may agree."""
    path = home / AUTHORITY_FILE
    try:
        return authorities_from(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return AUTHORITIES
    except (OSError, ValueError) as wrong:  # PlanError and what json raises are ValueErrors
        log.error("nobody may agree to anything: mend the table of authority", file=str(path), reason=str(wrong))
        return ()


class OutsideAuthority(PermissionError):
    """The plan may not be agreed to by this role; the ruling says what exceeds and who may."""

    def __init__(self, ruling: Ruling) -> None:
        super().__init__("outside the authority of this role")
        self.ruling = ruling


def plan_of(terms: Terms, case: Case) -> Plan | None:
    """The plan that the terms describe, None for no agreement. Raises PlanError."""
    if terms.kind == "none":
        return None
    if terms.date is None:
        raise PlanError("choose a day")
    if terms.kind == "promise":
        amount = terms.amount_fen if terms.amount_fen is not None else case.amount_fen - terms.waived_fen
        if not 0 < amount <= case.amount_fen - terms.waived_fen:
            raise PlanError("the sum is more than nothing and at most what is due")
        return Plan((Part(terms.date, amount),), terms.waived_fen)
    return instalments(
        case.amount_fen,
        terms.count,
        terms.date,
        terms.step,
        first_fen=terms.first_fen,
        waived_fen=terms.waived_fen,
    )


def ruling_of(plan: Plan, case: Case, role: str, today: dt.date, authorities: Sequence[Authority]) -> Ruling:
    """Whether `role` may agree to the plan. Raises PlanError for a day that is over."""
    return rule(plan, role, today, fees_fen=case.fees_fen, authorities=authorities)


def explain(words: Words, ruling: Ruling) -> str:
    """What exceeds the authority, and who may approve, as one sentence for the agent."""
    if ruling.allowed:
        return words("plan.allowed")
    limits = words("plan.join").join(_excess(words, excess) for excess in ruling.excesses)
    if ruling.approver is None:
        return words("plan.nobody", limits=limits)
    return words("plan.needs", limits=limits, role=words(f"role.{ruling.approver}"))


def _excess(words: Words, excess: Excess) -> str:
    if excess.limit is Limit.PART:
        return words("plan.over.part", asked=words.money(excess.asked), allowed=words.money(excess.allowed))
    asked = "—" if excess.limit is Limit.WAIVER and excess.asked > 100 else excess.asked
    return words(f"plan.over.{excess.limit}", asked=asked, allowed=excess.allowed)
