"""Offers: what the bot may grant by itself, by stage and creditor. Part of the same table as people's authority."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voicebot.domain.case import Case
from voicebot.domain.plan import BOT, Authority, PlanError, authority_from
from voicebot.domain.stage import Stage, stage_of

ANY_CREDITOR = "*"
GRANTED = "offers"
"""Key of CallFacts.extra: the offers of this call as `Offers.to_json` writes them."""


@dataclass(frozen=True, slots=True)
class Offers:
    """The most the bot may grant in one case: fen of the fees, parts, days. Nothing of a kind is 0."""

    waive_fen: int = 0
    parts: int = 0
    extension_days: int = 0
    length_days: int = 0
    smallest_part_fen: int = 0

    @property
    def waiver(self) -> bool:
        return self.waive_fen > 0

    @property
    def instalments(self) -> bool:
        return self.parts > 1

    @property
    def extension(self) -> bool:
        return self.extension_days > 0

    def to_json(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def from_json(cls, text: str) -> Offers:
        """ValueError for anything that `to_json` did not write."""
        try:
            return cls(**{str(name): int(figure) for name, figure in json.loads(text).items()})
        except (TypeError, AttributeError) as error:
            raise ValueError(f"not a list of offers: {error}") from error


@dataclass(frozen=True, slots=True)
class BotAuthority:
    """One row: for these stages (none: all) of this creditor (`*`: all)."""

    authority: Authority
    stages: tuple[Stage, ...] = ()
    creditor: str = ANY_CREDITOR

    def covers(self, stage: Stage, creditor: str) -> bool:
        return self.creditor in (ANY_CREDITOR, creditor) and (not self.stages or stage in self.stages)


BOT_AUTHORITIES: tuple[BotAuthority, ...] = (
    BotAuthority(Authority(BOT, 1, 3, 3, 10_000, 0), (Stage.S1, Stage.S2)),
    BotAuthority(Authority(BOT, 3, 7, 90, 10_000, 0), (Stage.S3, Stage.M1)),
    BotAuthority(Authority(BOT, 6, 15, 180, 10_000, 0), (Stage.M2,)),
    BotAuthority(Authority(BOT, 12, 15, 365, 10_000, 0), (Stage.M3,)),
)
"""No waiver: that is for people. A case at M4 is led by people altogether."""


def offers_for(case: Case | None, table: Sequence[BotAuthority] = BOT_AUTHORITIES) -> Offers:
    """What may be offered in this case: the first row of the table that covers it; without one, nothing."""
    if case is None or case.amount_fen <= 0:
        return Offers()
    stage = stage_of(case.overdue_days)
    row = next((row.authority for row in table if row.covers(stage, case.creditor.id)), None)
    if row is None:
        return Offers()
    parts = min(row.most_parts, case.amount_fen // row.smallest_part_fen if row.smallest_part_fen else row.most_parts)
    waive = (case.fees_fen or 0) * row.waiver_percent // 100
    return Offers(waive, parts if parts > 1 else 0, row.extension_days, row.length_days, row.smallest_part_fen)


def offers_of(case: Case | None, extra: Mapping[str, str]) -> Offers:
    """The offers a call was given, else those of the shipped table; nothing when what it was given is garbled."""
    if GRANTED not in extra:
        return offers_for(case)
    try:
        return Offers.from_json(extra[GRANTED])
    except ValueError:
        return Offers()


def bot_authorities_from(table: object) -> tuple[BotAuthority, ...]:
    """The rows of role `bot` in an installation's table of authority; the shipped ones when it has none.

    PlanError names what is wrong.
    """
    rows = [entry for entry in table if isinstance(entry, dict)] if isinstance(table, list) else []
    own = tuple(_row(entry) for entry in rows if entry.get("role") == BOT)
    return own or BOT_AUTHORITIES


def _row(entry: Mapping[str, object]) -> BotAuthority:
    stages, creditor = entry.get("stages", []), entry.get("creditor", ANY_CREDITOR)
    if not isinstance(stages, list) or not all(stage in list(Stage) for stage in stages):
        raise PlanError(f"stages of {BOT} is a list of {', '.join(Stage)}")
    if not isinstance(creditor, str) or not creditor:
        raise PlanError(f"creditor of {BOT} is the id of a creditor, or {ANY_CREDITOR} for all")
    return BotAuthority(authority_from(entry), tuple(Stage(stage) for stage in stages), creditor)


def last_day(today: dt.date, offers: Offers) -> dt.date:
    """The day until which an extension reaches."""
    return today + dt.timedelta(days=offers.extension_days)
