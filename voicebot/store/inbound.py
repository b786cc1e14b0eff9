"""Inbound: what was agreed in a call that came in is written whole or not at all, and once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select, text, update

from voicebot.domain.attempt import URGENCY, AttemptState, NextAttempt
from voicebot.domain.case import Promise
from voicebot.domain.message import PlannedMessage
from voicebot.store.attempts import ADD
from voicebot.store.database import Database, lock_key
from voicebot.store.outbox import write_messages
from voicebot.store.promises import record_promise
from voicebot.store.schema import attempts, promises

USUAL_SCRIPT = "reminder"
"""Who was never rung before is reminded with it."""


class Inbound:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def promise(
        self,
        case_id: str,
        call_id: str,
        promise: Promise,
        now: dt.datetime,
        *,
        reminders: Sequence[NextAttempt] = (),
        messages: Sequence[PlannedMessage] = (),
    ) -> bool:
        """The promise, what is written about it and its reminders take the place of what waited for the case.

        False when the call's promise was written before: then nothing changes.
        """
        async with self._database.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("inbound", call_id)})
            known = select(promises.c.id).where(promises.c.call_id == call_id, promises.c.case_id == case_id)
            if (await connection.execute(known)).first() is not None:
                return False
            promise_id = await record_promise(connection, case_id, call_id, promise, now)
            await write_messages(connection, case_id, call_id, promise_id, messages, now)
            await connection.execute(
                update(attempts)
                .where(attempts.c.case_id == case_id, attempts.c.state == AttemptState.WAITING)
                .values(state=AttemptState.CANCELLED, why="promised in an incoming call", settled_at=now)
            )
            last = select(attempts.c.script).where(attempts.c.case_id == case_id).order_by(attempts.c.id.desc())
            script = (await connection.execute(last.limit(1))).scalar_one_or_none() or USUAL_SCRIPT
            for planned in reminders:
                values = {
                    "case_id": case_id,
                    "script": planned.script or script,
                    "not_before": planned.at,
                    "number": planned.number,
                    "purpose": planned.purpose,
                    "campaign_id": None,
                    "priority": URGENCY.get(planned.purpose, 0),
                }
                await connection.execute(ADD, values)
            return True
