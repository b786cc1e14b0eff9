"""History: what the rulebook must know of a debtor and a number, read under their locks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import Attempt, Consent, ContactStop, TargetKind
from voicebot.domain.permission import DialRequest, PastAttempt, Reached, jurisdictions
from voicebot.store.database import lock_key
from voicebot.store.rows import AnyRow, to_consent, to_stop
from voicebot.store.schema import attempts, consents, contact_stops
from voicebot.store.schema import numbers as numbers_table

DAYS = 30
"""How far back the history reaches; contact persons are remembered for good, as they may be rung once."""

_FOR_GOOD = ("contact_refused", "refused")
"""Stops that no date ends, only a person."""

_TRY_LOCKS = text("""
    SELECT id FROM unnest(CAST(:ids AS bigint[]), CAST(:debtors AS bigint[]), CAST(:numbers AS bigint[]))
        AS wanted (id, debtor, number)
    WHERE pg_try_advisory_xact_lock(debtor) AND pg_try_advisory_xact_lock(number)
""")


async def lock(connection: AsyncConnection, candidates: Sequence[Attempt]) -> list[Attempt]:
    """Those candidates whose debtor and number nobody else is deciding about.

    Locked until the transaction ends.
    """
    values = {
        "ids": [a.id for a in candidates],
        "debtors": [lock_key("debtor", a.case.debtor.id) for a in candidates],
        "numbers": [lock_key("number", a.number) for a in candidates],
    }
    ours = {row.id for row in await connection.execute(_TRY_LOCKS, values)}
    return [attempt for attempt in candidates if attempt.id in ours]


@dataclass(frozen=True, slots=True)
class _Past:
    debtor_id: str
    entry: PastAttempt


class History:
    """The pasts of some debtors and numbers, and of what was leased since it was read."""

    def __init__(
        self,
        now: dt.datetime,
        past: list[_Past],
        stops: list[ContactStop],
        consents: list[Consent],
        reachable: frozenset[str],
    ) -> None:
        self._now = now
        self._reachable = reachable
        self._past = past
        self._stops = stops
        self._consents = consents

    @classmethod
    async def read(
        cls, connection: AsyncConnection, candidates: Sequence[Attempt], now: dt.datetime, apart: int | None = None
    ) -> History:
        """What is known of the debtors and numbers of some attempts; `apart`: the attempt that is not past yet."""
        debtors = {a.case.debtor.id for a in candidates}
        numbers = {a.number for a in candidates}
        table = attempts.c
        past = await connection.execute(
            select(table.debtor_id, table.number, table.leased_at, table.placed_at, table.reached)
            .where(or_(table.leased_at >= now - dt.timedelta(days=DAYS), table.target == TargetKind.CONTACT))
            .where(or_(table.debtor_id.in_(debtors), table.number.in_(numbers)))
            .where(table.id.is_distinct_from(apart))
            .order_by(table.leased_at)
        )
        stop = contact_stops.c
        stops = await connection.execute(
            select(contact_stops)
            .where(stop.cleared_at.is_(None))
            .where(or_(stop.until.is_(None), stop.until > now, stop.reason.in_(_FOR_GOOD)))
            .where(or_(stop.debtor_id.in_(debtors), stop.number.in_(numbers)))
        )
        agreed = await connection.execute(
            select(consents).where(consents.c.revoked_at.is_(None), consents.c.debtor_id.in_(debtors))
        )
        own = await connection.execute(
            select(numbers_table.c.debtor_id)
            .where(numbers_table.c.debtor_id.in_(debtors), numbers_table.c.valid)
            .where(numbers_table.c.kind == TargetKind.DEBTOR)
        )
        return cls(
            now,
            [_to_past(row) for row in past],
            [to_stop(row) for row in stops],
            [to_consent(r) for r in agreed],
            frozenset(own.scalars()),
        )

    def request(self, attempt: Attempt) -> DialRequest:
        """The question to the rulebook about one attempt."""
        debtor = attempt.case.debtor.id
        return DialRequest(
            now=self._now,
            jurisdictions=jurisdictions(attempt.case.jurisdiction),
            target_kind=attempt.target.value,
            number=attempt.number,
            history=tuple(
                past.entry for past in self._past if past.debtor_id == debtor or past.entry.number == attempt.number
            ),
            stops=tuple(s.asked for s in self._stops if s.debtor_id == debtor or s.number == attempt.number),
            consents=tuple(c.asked for c in self._consents if c.debtor_id == debtor and c.asked),
            debtor_unreachable=debtor not in self._reachable,
            creditor_id=attempt.case.creditor.id,
            debtor_id=debtor,
            case_id=attempt.case.id,
            attempt_id=attempt.id,
            script=attempt.script,
        )

    def leased(self, attempt: Attempt, now: dt.datetime) -> None:
        """Remember a lease of this very transaction."""
        self._past.append(_Past(attempt.case.debtor.id, PastAttempt(now, attempt.number, Reached.CONVERSATION)))


def _to_past(row: AnyRow) -> _Past:
    """An attempt that is still under way counts as a conversation: it may become one."""
    reached = Reached(row.reached) if row.reached else Reached.CONVERSATION
    return _Past(row.debtor_id, PastAttempt(row.placed_at or row.leased_at, row.number, reached))
