"""Previews: an agent asks whether a case may be rung now, and takes the attempt for themself."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import Attempt, AttemptState, Caps, Purpose, TargetKind
from voicebot.domain.pace import CampaignMode
from voicebot.domain.permission import DialVerdict, Judge
from voicebot.store.attempts import ADD
from voicebot.store.database import Database
from voicebot.store.history import History, lock
from voicebot.store.leasing import Ruling, ask, decide, take
from voicebot.store.rows import ATTEMPT_COLUMNS, ATTEMPT_TABLES, to_attempt
from voicebot.store.schema import attempts, campaigns, cases, numbers

LEASE = dt.timedelta(seconds=10)
"""From then on the dialler waits for the end of the call and settles the attempt, as it does for those of the dead."""
_BUSY = "this debtor is being rung, or somebody is about to"


class Previews:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def may(self, case_id: str, now: dt.datetime, judge: Judge) -> DialVerdict:
        """Whether the debtor may be rung now; nothing is reserved. LookupError without such a case or any number."""
        async with self._database.engine.connect() as connection:
            transaction = await connection.begin()
            try:
                attempt, _ = await _attempt(connection, case_id, Purpose.AGENT, "", now)
                if attempt is None or not await lock(connection, [attempt]):
                    return Ruling(False, None, _BUSY, None)
                history = await History.read(connection, [attempt], now)
                return ask(judge, history.request(attempt), now)
            finally:
                await transaction.rollback()

    async def place(
        self,
        case_id: str,
        worker: str,
        call_id: str,
        now: dt.datetime,
        judge: Judge,
        *,
        caps: Caps,
        script: str,
        purpose: Purpose = Purpose.AGENT,
    ) -> Attempt | DialVerdict:
        """Count and place one attempt for an agent, whose call is about to be ordered; else why not, nothing counted.

        LookupError without such a case or any number.
        """
        async with self._database.begin() as connection:
            attempt, made = await _attempt(connection, case_id, purpose, script, now)
            if attempt is None or not await lock(connection, [attempt]):
                return await self._refused(connection, attempt, made, Ruling(False, None, _BUSY, None), now)
            history = await History.read(connection, [attempt], now)
            verdict = await decide(connection, attempt, history.request(attempt), now, judge, caps)
            if not verdict.allowed:
                return await self._refused(connection, attempt, made, verdict, now)
            taken = await take(connection, attempt, worker, now, now + LEASE)
            change = {"state": AttemptState.PLACED, "placed_at": now, "call_id": call_id}
            await connection.execute(update(attempts).where(attempts.c.id == taken.id).values(**change))
            await _done_by_a_person(connection, case_id, now)
            return taken

    async def _refused(
        self, connection: AsyncConnection, attempt: Attempt | None, made: bool, verdict: DialVerdict, now: dt.datetime
    ) -> DialVerdict:
        """An attempt that was made for this question must not be left for the bot to dial later."""
        if attempt is not None and made:
            change = {"state": AttemptState.CANCELLED, "settled_at": now, "why": verdict.reason}
            await connection.execute(update(attempts).where(attempts.c.id == attempt.id).values(**change))
        return verdict


async def _done_by_a_person(connection: AsyncConnection, case_id: str, now: dt.datetime) -> None:
    """What a campaign in preview mode keeps ready for people is done when one of them dials."""
    preview = select(campaigns.c.id).where(campaigns.c.mode == CampaignMode.PREVIEW)
    waiting = (attempts.c.case_id == case_id, attempts.c.state == AttemptState.WAITING)
    change = {"state": AttemptState.CANCELLED, "settled_at": now, "why": "dialled by a person"}
    await connection.execute(
        update(attempts).where(*waiting, attempts.c.campaign_id.in_(preview.scalar_subquery())).values(**change)
    )


async def _attempt(
    connection: AsyncConnection, case_id: str, purpose: Purpose, script: str, now: dt.datetime
) -> tuple[Attempt | None, bool]:
    """A new attempt, or the one that waits outside of campaigns, and whether it is new; None while one is under way."""
    await _reachable(connection, case_id)
    values = {
        "case_id": case_id,
        "script": script,
        "not_before": now,
        "number": None,
        "purpose": purpose,
        "campaign_id": None,
        "priority": 0,
    }
    made = (await connection.execute(ADD, values)).scalar_one_or_none()
    same = (attempts.c.case_id == case_id, attempts.c.purpose == purpose, attempts.c.campaign_id.is_(None))
    which = attempts.c.id == made if made is not None else attempts.c.state == AttemptState.WAITING
    query = select(*ATTEMPT_COLUMNS).select_from(ATTEMPT_TABLES).where(*same, which)
    row = (await connection.execute(query.with_for_update(of=attempts, skip_locked=True))).first()
    return (to_attempt(row) if row else None), made is not None


async def _reachable(connection: AsyncConnection, case_id: str) -> None:
    has_number = select(numbers.c.id).where(
        numbers.c.debtor_id == cases.c.debtor_id, numbers.c.valid, numbers.c.kind == TargetKind.DEBTOR
    )
    query = select(cases.c.id).where(cases.c.id == case_id, cases.c.status == "open", has_number.exists())
    if (await connection.execute(query)).first() is None:
        raise LookupError(f"case {case_id} is not open, or has no number that could be rung")
