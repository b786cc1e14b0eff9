"""Ledger: counters that are reserved before a number is dialled, in the transaction of the lease."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import Attempt, Caps
from voicebot.domain.clock import SHANGHAI

_UNLIMITED = 1_000_000
CALLER_CALLS = "caller_calls"
"""The scope that counts how often a number of ours was shown."""

_TAKE = text("""
    INSERT INTO ledger (scope, key, day, used)
    SELECT :scope, :key, :day, 1
    WHERE :day_cap > 0 AND :week_cap > (
        SELECT coalesce(sum(used), 0) FROM ledger
        WHERE scope = :scope AND key = :key AND day BETWEEN CAST(:day AS date) - 6 AND :day
    )
    ON CONFLICT (scope, key, day) DO UPDATE SET used = ledger.used + 1 WHERE ledger.used < :day_cap
    RETURNING used
""")

_GIVE_BACK = text("""
    UPDATE ledger SET used = used - 1 WHERE scope = :scope AND key = :key AND day = :day AND used > 0
""")


@dataclass(frozen=True, slots=True)
class Entry:
    """One counter of an attempt.

    `rule` is what forbids more than `day_cap` a day or `week_cap` in seven days.
    """

    scope: str
    key: str
    rule: str
    day_cap: int
    week_cap: int


def entries(attempt: Attempt, caps: Caps) -> tuple[Entry, ...]:
    """The counters that an attempt uses. Numbers are counted apart from debtors.

    A number may serve two of them.
    """
    debtor = attempt.case.debtor.id
    shown = (Entry(CALLER_CALLS, attempt.shows, "", _UNLIMITED, _UNLIMITED),) if attempt.shows else ()
    return (
        Entry("number_attempts", attempt.number, "CN-F2", caps.attempts_per_number_day, _UNLIMITED),
        Entry(
            "debtor_conversations",
            debtor,
            "CN-F1",
            caps.conversations_per_debtor_day,
            caps.conversations_per_debtor_week,
        ),
        Entry("debtor_attempts", debtor, "CN-F4", _UNLIMITED, caps.attempts_per_debtor_week),
        *shown,
    )


def civil_day(at: dt.datetime) -> dt.date:
    """The day that the law counts."""
    return at.astimezone(SHANGHAI).date()


async def reserve(connection: AsyncConnection, attempt: Attempt, at: dt.datetime, caps: Caps) -> Entry | None:
    """Count an attempt and the conversation it may become. None, or the entry that is full, nothing counted.

    The caller holds the advisory locks of the debtor and of the number.
    """
    savepoint = await connection.begin_nested()
    for entry in entries(attempt, caps):
        values = {
            "scope": entry.scope,
            "key": entry.key,
            "day": civil_day(at),
            "day_cap": entry.day_cap,
            "week_cap": entry.week_cap,
        }
        if (await connection.execute(_TAKE, values)).first() is None:
            await savepoint.rollback()
            return entry
    await savepoint.commit()
    return None


async def give_back_conversation(connection: AsyncConnection, debtor_id: str, leased_at: dt.datetime) -> None:
    """The attempt reached nobody: the conversation that was reserved for it is free again."""
    values = {"scope": "debtor_conversations", "key": debtor_id, "day": civil_day(leased_at)}
    await connection.execute(_GIVE_BACK, values)


async def give_back_all(connection: AsyncConnection, attempt: Attempt, leased_at: dt.datetime) -> None:
    """The attempt was never dialled."""
    for entry in entries(attempt, Caps()):
        values = {"scope": entry.scope, "key": entry.key, "day": civil_day(leased_at)}
        await connection.execute(_GIVE_BACK, values)
