"""Sessions: logins that last until they are idle too long, too old, or ended by their owner or an administrator."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets as chance

from sqlalchemy import delete, select, update

from voicebot.domain.login import Session, Way
from voicebot.store.database import Database
from voicebot.store.rows import AnyRow
from voicebot.store.schema_access import sessions


class Sessions:
    """`idle` everywhere: how long one lasts that nobody uses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(
        self, username: str, way: Way, now: dt.datetime, lasts: dt.timedelta, *, address: str = "", browser: str = ""
    ) -> str:
        """Begin one; the secret for its cookie, which is kept nowhere. Those that are over go."""
        secret = chance.token_urlsafe(32)
        values = {
            "token_sha256": digest(secret),
            "username": username,
            "way": way.value,
            "address": address[:64],
            "browser": browser[:200],
            "created_at": now,
            "seen_at": now,
            "expires_at": now + lasts,
        }
        async with self._database.begin() as connection:
            await connection.execute(delete(sessions).where(sessions.c.expires_at < now))
            await connection.execute(sessions.insert().values(**values))
        return secret

    async def find(self, secret: str, now: dt.datetime, idle: dt.timedelta) -> Session | None:
        """The session of a cookie; None when there is none, or it is over."""
        query = select(sessions).where(
            sessions.c.token_sha256 == digest(secret), sessions.c.expires_at > now, sessions.c.seen_at > now - idle
        )
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).first()
        return _to_session(row) if row else None

    async def touch(self, session_id: str, now: dt.datetime) -> None:
        """Somebody uses it."""
        query = update(sessions).where(sessions.c.token_sha256 == session_id, sessions.c.seen_at < now)
        async with self._database.begin() as connection:
            await connection.execute(query.values(seen_at=now))

    async def of(self, username: str, now: dt.datetime, idle: dt.timedelta) -> list[Session]:
        """Those of a user that are not over, the one used last first."""
        query = select(sessions).where(
            sessions.c.username == username, sessions.c.expires_at > now, sessions.c.seen_at > now - idle
        )
        async with self._database.begin() as connection:
            return [_to_session(row) for row in await connection.execute(query.order_by(sessions.c.seen_at.desc()))]

    async def end(self, username: str, session_id: str) -> bool:
        """End one of a user's; False when they have none like it."""
        query = delete(sessions).where(sessions.c.username == username, sessions.c.token_sha256 == session_id)
        async with self._database.begin() as connection:
            return (await connection.execute(query)).rowcount > 0

    async def end_all(self, username: str, but: str | None = None) -> int:
        """End all of a user's, or all `but` one; how many there were."""
        query = delete(sessions).where(sessions.c.username == username)
        if but is not None:
            query = query.where(sessions.c.token_sha256 != but)
        async with self._database.begin() as connection:
            return (await connection.execute(query)).rowcount


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _to_session(row: AnyRow) -> Session:
    return Session(
        id=row.token_sha256,
        username=row.username,
        way=Way(row.way),
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        address=row.address,
        browser=row.browser,
    )
