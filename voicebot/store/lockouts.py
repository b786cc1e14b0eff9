"""Lockouts: who guessed wrong must wait, longer every time; names that exist and names that do not wait alike."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from voicebot.store.database import Database
from voicebot.store.schema_access import lockouts

FAILURES_ALLOWED = 5
FIRST_WAIT = dt.timedelta(minutes=1)
LONGEST_WAIT = dt.timedelta(hours=1)
FORGOTTEN_AFTER = dt.timedelta(days=1)
PASSWORD, FACTOR = "password", "factor"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One guess: `refused_until` is set when it may not even be looked at, `next_at` when the next one must wait."""

    refused_until: dt.datetime | None = None
    next_at: dt.datetime | None = None


class Lockouts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def attempt(self, kind: str, username: str, now: dt.datetime) -> Attempt:
        """Count a guess before it is looked at, so that a hundred at once are counted like a hundred in a row."""
        key = lockout_key(kind, username)
        touch = insert(lockouts).values(key=key, failures=0, last_at=now)
        mine = touch.on_conflict_do_update(index_elements=["key"], set_={"key": touch.excluded.key})
        async with self._database.begin() as connection:
            row = (await connection.execute(mine.returning(lockouts))).one()
            if row.locked_until is not None and row.locked_until > now:
                return Attempt(refused_until=row.locked_until)
            failures = 1 if now - row.last_at > FORGOTTEN_AFTER else row.failures + 1
            wait = wait_after(failures)
            until = now + wait if wait else None
            change = update(lockouts).where(lockouts.c.key == key)
            await connection.execute(change.values(failures=failures, last_at=now, locked_until=until))
        return Attempt(next_at=until)

    async def forget(
        self, usernames: Iterable[str], now: dt.datetime, kinds: Sequence[str] = (PASSWORD, FACTOR)
    ) -> int:
        """They guessed right, or an administrator lets them try again; how many waits there were. Old ones go too."""
        keys = [lockout_key(kind, name) for kind in kinds for name in usernames]
        async with self._database.begin() as connection:
            await connection.execute(delete(lockouts).where(lockouts.c.last_at < now - 2 * FORGOTTEN_AFTER))
            gone = await connection.execute(delete(lockouts).where(lockouts.c.key.in_(keys)))
            return gone.rowcount

    async def standing(self, usernames: Iterable[str]) -> dict[str, dt.datetime]:
        """Until when each of these must wait, or had to; names without a wait are left out."""
        keys = {lockout_key(kind, name): name for kind in (PASSWORD, FACTOR) for name in usernames}
        query = select(lockouts).where(lockouts.c.key.in_(keys), lockouts.c.locked_until.is_not(None))
        found: dict[str, dt.datetime] = {}
        async with self._database.begin() as connection:
            for row in await connection.execute(query):
                name = keys[row.key]
                found[name] = max(row.locked_until, found.get(name, row.locked_until))
        return found


def wait_after(failures: int) -> dt.timedelta | None:
    """None up to the fourth failure, one minute after the fifth, then twice as long each time, an hour at most."""
    if failures < FAILURES_ALLOWED:
        return None
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << min(failures - FAILURES_ALLOWED, 10)))


def lockout_key(kind: str, username: str) -> str:
    """What a name is counted under: people type passwords into the wrong field, so only a hash is kept."""
    return hashlib.sha256(f"{kind}\0{username.lower()}".encode()).hexdigest()
