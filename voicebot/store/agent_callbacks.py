"""Callbacks as agents see them: their own first, then those that nobody has taken and no bot will make."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import or_, select, update

from voicebot.domain.attempt import AttemptState, Purpose
from voicebot.domain.desk import AgentCallback
from voicebot.store.database import Database
from voicebot.store.schema import attempts, callbacks, cases, debtors


class AgentCallbacks:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, agent_id: str, limit: int = 50) -> list[AgentCallback]:
        """This agent's, then nobody's; those due first come first, those without a time last."""
        by_bot = select(attempts.c.id).where(
            attempts.c.case_id == callbacks.c.case_id,
            attempts.c.purpose == Purpose.CALLBACK,
            attempts.c.state.in_((AttemptState.WAITING, AttemptState.LEASED, AttemptState.PLACED)),
        )
        unclaimed = callbacks.c.agent_id.is_(None) & ~by_bot.exists()
        tables = callbacks.outerjoin(cases, callbacks.c.case_id == cases.c.id).outerjoin(
            debtors, cases.c.debtor_id == debtors.c.id
        )
        query = (
            select(callbacks, debtors.c.name.label("debtor_name"))
            .select_from(tables)
            .where(callbacks.c.done_at.is_(None), or_(callbacks.c.agent_id == agent_id, unclaimed))
            .order_by(callbacks.c.agent_id.nulls_last(), callbacks.c.at.asc().nulls_last(), callbacks.c.id)
            .limit(limit)
        )
        async with self._database.begin() as connection:
            rows = (await connection.execute(query)).all()
        return [
            AgentCallback(
                id=row.id,
                case_id=row.case_id,
                call_id=row.call_id,
                debtor_name=row.debtor_name or "",
                number=row.number,
                at=row.at,
                reason=row.reason,
                agent_id=row.agent_id,
            )
            for row in rows
        ]

    async def take(self, callback_id: int, agent_id: str) -> bool:
        """Make nobody's callback this agent's; False when somebody was quicker."""
        free = (callbacks.c.id == callback_id, callbacks.c.agent_id.is_(None), callbacks.c.done_at.is_(None))
        async with self._database.begin() as connection:
            change = update(callbacks).where(*free).values(agent_id=agent_id)
            return (await connection.execute(change)).rowcount > 0

    async def done(self, callback_id: int, agent_id: str, now: dt.datetime) -> bool:
        """This agent called back; False when it is not theirs or was done before."""
        mine = (callbacks.c.id == callback_id, callbacks.c.agent_id == agent_id, callbacks.c.done_at.is_(None))
        async with self._database.begin() as connection:
            return (await connection.execute(update(callbacks).where(*mine).values(done_at=now))).rowcount > 0
