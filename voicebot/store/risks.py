"""Risks: what is known of cases when they are scored, and the scores that came of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.clock import SHANGHAI
from voicebot.domain.risk import Fact, Facts, Past, Reason, RiskRecord, Scored, shifted
from voicebot.store.database import Database
from voicebot.store.rows import AnyRow
from voicebot.store.schema_strategy import risks

_KNOWN = """
    SELECT cases.id, cases.product, cases.creditor_id, cases.jurisdiction, debtors.traits, cases.loan,
        cases.overdue_days + (CAST(:day AS date) - cases.as_of) AS overdue_days,
        cases.amount_fen + coalesce(later.fen, 0) AS amount_fen,
        rung.tries, rung.talks, rung.refusals, rung.hardships, rung.last_talk,
        agreed.made, agreed.kept, agreed.broken, paid.payments, paid.fen AS paid_fen,
        coalesce(later.payments, 0) AS later_payments, cases.status
    FROM cases JOIN debtors ON debtors.id = cases.debtor_id
    LEFT JOIN LATERAL (
        SELECT count(*) AS tries, count(*) FILTER (WHERE reached = 'conversation') AS talks,
            count(*) FILTER (WHERE disposition = 'refusal') AS refusals,
            count(*) FILTER (WHERE disposition = 'hardship') AS hardships,
            max(leased_at) FILTER (WHERE reached = 'conversation') AS last_talk
        FROM attempts WHERE case_id = cases.id AND state = 'settled' AND leased_at <= :at
    ) AS rung ON true
    LEFT JOIN LATERAL (
        SELECT count(*) AS made, count(*) FILTER (WHERE state = 'kept') AS kept,
            count(*) FILTER (WHERE state = 'broken') AS broken
        FROM promises WHERE case_id = cases.id AND made_at <= :at AND (date < :day OR :now)
    ) AS agreed ON true
    LEFT JOIN LATERAL (
        SELECT count(*) AS payments, coalesce(sum(amount_fen), 0) AS fen
        FROM payments WHERE case_id = cases.id AND paid_on <= :day
    ) AS paid ON true
    LEFT JOIN LATERAL (
        SELECT count(*) AS payments, sum(amount_fen) AS fen
        FROM payments WHERE case_id = cases.id AND paid_on > :day
    ) AS later ON true
"""
_OF_CASES = text(_KNOWN + " WHERE cases.id = ANY(:ids) ORDER BY cases.id")
_STALE = text("""
    SELECT cases.id FROM cases LEFT JOIN risks ON risks.case_id = cases.id
    WHERE cases.status = 'open' AND cases.id > :after
      AND (risks.case_id IS NULL OR risks.scored_at < :since OR risks.card <> :card)
    ORDER BY cases.id LIMIT :limit
""")
_PAST = text(
    _KNOWN
    + """
    WHERE cases.as_of <= :day AND cases.id > :after
      AND (cases.status = 'open' OR later.payments > 0)
    ORDER BY cases.id LIMIT :limit
"""
)
_PAID_WITHIN = text("""
    SELECT case_id FROM payments JOIN cases ON cases.id = case_id
    WHERE case_id = ANY(:ids) AND cases.status = 'closed'
    GROUP BY case_id HAVING max(paid_on) > :day AND max(paid_on) <= :until
""")


class Risks:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def facts(self, case_ids: Sequence[str], at: dt.datetime) -> dict[str, Facts]:
        """What is known of these cases at a moment, for a scorer."""
        values = {"ids": list(case_ids), "at": at, "day": _day(at), "now": True}
        async with self._database.begin() as connection:
            return {row.id: _facts(row, at) for row in await connection.execute(_OF_CASES, values)}

    async def stale(self, since: dt.datetime, card: str, after: str, limit: int) -> list[str]:
        """Open cases with ids behind `after` that were not scored since, or by another card."""
        values = {"since": since, "card": card, "after": after, "limit": limit}
        async with self._database.begin() as connection:
            return list((await connection.execute(_STALE, values)).scalars())

    async def write(self, scored: Mapping[str, Scored], tiers: tuple[str, ...], card: str, now: dt.datetime) -> None:
        """Keep scores; what calls have shifted stays shifted."""
        if not scored:
            return
        async with self._database.begin() as connection:
            rows = await connection.execute(select(risks.c.case_id, risks.c.shift).where(risks.c.case_id.in_(scored)))
            shifts = {row.case_id: row.shift for row in rows}
            query = insert(risks)
            change = {name: query.excluded[name] for name in ("score", "tier", "reasons", "card", "scored_at")}
            await connection.execute(
                query.on_conflict_do_update(index_elements=["case_id"], set_=change),
                [_values(case_id, one, shifts.get(case_id, 0), tiers, card, now) for case_id, one in scored.items()],
            )

    async def of_case(self, case_id: str) -> RiskRecord | None:
        """A case's risk with its reasons; None before the first scoring."""
        async with self._database.begin() as connection:
            row = (await connection.execute(select(risks).where(risks.c.case_id == case_id))).first()
        return _record(row) if row else None

    async def past(self, at: dt.datetime, until: dt.date, after: str, limit: int) -> list[Past]:
        """Cases that were open at `at`, as they were known then, and whether they were still unpaid after `until`.

        Paid is who had paid the whole bill in between. Cases that ended otherwise say nothing and are left out.
        """
        values = {"at": at, "day": _day(at), "now": False, "after": after, "limit": limit}
        async with self._database.begin() as connection:
            rows = (await connection.execute(_PAST, values)).all()
            ids = {"ids": [row.id for row in rows], "day": _day(at), "until": until}
            paid = set((await connection.execute(_PAID_WITHIN, ids)).scalars())
        return [Past(row.id, _facts(row, at), row.id not in paid) for row in rows]


async def shift(connection: AsyncConnection, case_id: str, by: int, tiers: tuple[str, ...], now: dt.datetime) -> None:
    """Move a case's tier by so many steps, in the caller's transaction; twice up is as far as two steps."""
    row = (await connection.execute(select(risks).where(risks.c.case_id == case_id).with_for_update())).first()
    if row is None:
        values = {"case_id": case_id, "shift": by, "scored_at": now - dt.timedelta(days=3650)}
        await connection.execute(insert(risks).values(**values).on_conflict_do_nothing())
        return
    moved = max(1 - len(tiers), min(len(tiers) - 1, row.shift + by))
    tier = shifted(tiers, row.tier, moved - row.shift)
    await connection.execute(update(risks).where(risks.c.case_id == case_id).values(shift=moved, tier=tier))


def _values(
    case_id: str, one: Scored, by: int, tiers: tuple[str, ...], card: str, now: dt.datetime
) -> dict[str, object]:
    return {
        "case_id": case_id, "score": one.score, "tier": shifted(tiers, one.tier, by), "card": card, "scored_at": now,
        "reasons": [[reason.fact, reason.words, reason.points] for reason in one.reasons],
    }  # fmt: skip


def _record(row: AnyRow) -> RiskRecord:
    reasons = tuple(Reason(*reason) for reason in row.reasons or ())
    return RiskRecord(row.case_id, row.score, row.tier, row.shift, reasons, row.card, row.scored_at)


def _facts(row: AnyRow, at: dt.datetime) -> Facts:
    facts: dict[str, Fact] = {
        "overdue_days": row.overdue_days,
        "amount_yuan": float(row.amount_fen) / 100,
        "product": row.product,
        "creditor": row.creditor_id,
        "jurisdiction": row.jurisdiction,
        "tries": row.tries,
        "talks": row.talks,
        "answered_share": row.talks / row.tries if row.tries else None,
        "days_since_talk": (at - row.last_talk).total_seconds() / 86_400 if row.last_talk else None,
        "refusals": row.refusals,
        "hardships": row.hardships,
        "promises": row.made,
        "promises_kept": row.kept,
        "promises_broken": row.broken,
        "payments": row.payments,
        "paid_share": _share(row.paid_fen, row.paid_fen + row.amount_fen),
    }
    for prefix, known in (("trait.", row.traits), ("loan.", row.loan)):
        facts |= {prefix + key: value for key, value in (known or {}).items() if _plain(value)}
    return facts


def _share(part: Any, whole: Any) -> float | None:
    return float(part) / float(whole) if whole else None


def _plain(value: Any) -> bool:
    return isinstance(value, str | bool | int | float)


def _day(at: dt.datetime) -> dt.date:
    return at.astimezone(SHANGHAI).date()
