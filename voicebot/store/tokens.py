"""Tokens: what programs show to the API. Only hashes are kept; each has an owner, and may have scopes and an end."""

from __future__ import annotations

import datetime as dt
import secrets as chance
from collections.abc import Collection

from sqlalchemy import delete, or_, select, update

from voicebot.domain.login import ApiToken
from voicebot.store.database import Database
from voicebot.store.rows import AnyRow
from voicebot.store.schema_people import secrets, users
from voicebot.store.sessions import digest

TOKEN = "api_token"
_NOTED_EVERY = dt.timedelta(minutes=1)


class Tokens:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def issue(
        self,
        username: str,
        label: str,
        now: dt.datetime,
        *,
        scopes: Collection[str] = (),
        role: str | None = None,
        lasts: dt.timedelta | None = None,
    ) -> str:
        """A token, shown this once; the database keeps its hash. `lasts` None: until it is revoked."""
        token = f"vb_{chance.token_urlsafe(32)}"
        values = {
            "token_sha256": digest(token),
            "kind": TOKEN,
            "username": username,
            "label": label,
            "created_at": now,
            "expires_at": now + lasts if lasts else None,
            "scopes": sorted(scopes),
            "role": role,
        }
        async with self._database.begin() as connection:
            await connection.execute(secrets.insert().values(**values))
        return token

    async def find(self, token: str, now: dt.datetime) -> ApiToken | None:
        """A token that is good, and its use noted; None for one that is unknown, over, or of somebody disabled."""
        query = (
            select(secrets)
            .join(users, secrets.c.username == users.c.username)
            .where(secrets.c.token_sha256 == digest(token), secrets.c.kind == TOKEN, users.c.disabled.is_(False))
            .where(or_(secrets.c.expires_at.is_(None), secrets.c.expires_at > now))
        )
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).first()
            if row is not None and (row.used_at is None or now - row.used_at > _NOTED_EVERY):
                mine = update(secrets).where(secrets.c.token_sha256 == row.token_sha256)
                await connection.execute(mine.values(used_at=now))
        return _to_token(row) if row else None

    async def of(self, username: str) -> list[ApiToken]:
        """All of a user's, the newest first; also those that are over, until they are revoked."""
        query = select(secrets).where(secrets.c.username == username, secrets.c.kind == TOKEN)
        async with self._database.begin() as connection:
            return [_to_token(row) for row in await connection.execute(query.order_by(secrets.c.created_at.desc()))]

    async def revoke(self, username: str, token_id: str) -> bool:
        """Make one of a user's worthless; False when they have none like it."""
        mine = (secrets.c.username == username, secrets.c.token_sha256 == token_id, secrets.c.kind == TOKEN)
        async with self._database.begin() as connection:
            return (await connection.execute(delete(secrets).where(*mine))).rowcount > 0


def _to_token(row: AnyRow) -> ApiToken:
    return ApiToken(
        id=row.token_sha256,
        username=row.username,
        label=row.label,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        scopes=frozenset(row.scopes),
        role=row.role,
    )
