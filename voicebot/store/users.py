"""Users: who may use the console, their passwords, one-time login links, and what roles may do."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets as chance
from dataclasses import replace

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.records import Role, User
from voicebot.store.database import Database
from voicebot.store.lockouts import PASSWORD, Lockouts
from voicebot.store.rows import AnyRow
from voicebot.store.schema_people import permissions, secrets, users
from voicebot.store.sessions import digest

LINK = "login_link"

_hasher = PasswordHasher()
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$c29tZSBzYWx0IGhlcmU$mM1cP5g1qvSNjaGZqdUcQpnjdNkH8CGvTx4OrXGtqzs"
"""Checked when the user does not exist, so that the answer takes as long as for one who does."""


class LoginRefused(Exception):
    """Unknown user, wrong password, disabled or locked; `locked_until` is set when only waiting helps."""

    def __init__(self, locked_until: dt.datetime | None = None) -> None:
        super().__init__("login refused")
        self.locked_until = locked_until


class Users:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._lockouts = Lockouts(database)

    async def create(
        self,
        username: str,
        role: Role,
        now: dt.datetime,
        *,
        password: str | None = None,
        display_name: str = "",
    ) -> User:
        """Add a user, or give an existing one this role and password.

        Without password only a login link helps.
        """
        values = {
            "username": username,
            "role": role,
            "display_name": display_name or username,
            "password_hash": await _hash(password) if password else None,
            "disabled": False,
        }
        query = insert(users).values(**values, created_at=now)
        query = query.on_conflict_do_update(index_elements=["username"], set_=values)
        async with self._database.begin() as connection:
            row = (await connection.execute(query.returning(users))).one()
        return _to_user(row)

    async def change(self, username: str, **values: object) -> bool:
        """Set role, display_name, agent_id, identity or disabled; False without such a user. ValueError for others."""
        if unknown := values.keys() - {"role", "display_name", "agent_id", "identity", "disabled"}:
            raise ValueError(f"a user has no changeable {', '.join(sorted(unknown))}")
        async with self._database.begin() as connection:
            result = await connection.execute(update(users).where(users.c.username == username).values(**values))
            return result.rowcount > 0

    async def set_password(self, username: str, password: str) -> bool:
        """Change a password; False when there is no such user. The caller ends waits and sessions."""
        change = {"password_hash": await _hash(password)}
        async with self._database.begin() as connection:
            result = await connection.execute(update(users).where(users.c.username == username).values(**change))
            return result.rowcount > 0

    async def login(self, username: str, password: str, now: dt.datetime) -> User:
        """Check a password. After five wrong ones there is a wait that grows. Raises LoginRefused.

        Nothing tells an unknown user from a known one: the same work, the same waits, the same answer.
        """
        attempt = await self._lockouts.attempt(PASSWORD, username, now)
        async with self._database.begin() as connection:
            row = await _row(connection, username)
        right = await _verify(row.password_hash if row is not None else None, password)
        if attempt.refused_until is not None:
            raise LoginRefused(attempt.refused_until)
        if row is None or row.disabled or not right:
            raise LoginRefused(attempt.next_at)
        await self._lockouts.forget([username], now, [PASSWORD])
        return _to_user(row)

    async def find(self, username: str) -> User | None:
        async with self._database.begin() as connection:
            row = await _row(connection, username)
        return _to_user(row) if row else None

    async def all(self) -> list[User]:
        async with self._database.begin() as connection:
            found = [_to_user(row) for row in await connection.execute(select(users).order_by(users.c.username))]
        waits = await self._lockouts.standing([user.username for user in found])
        return [replace(user, locked_until=waits.get(user.username)) for user in found]

    async def of_identity(self, identity: str) -> User | None:
        """Who logs in with this subject of an identity provider."""
        async with self._database.begin() as connection:
            row = (await connection.execute(select(users).where(users.c.identity == identity))).first()
        return _to_user(row) if row else None

    async def roles(self) -> dict[str, frozenset[str]]:
        """All roles and what each may do."""
        found: dict[str, set[str]] = {role.value: set() for role in Role}
        async with self._database.begin() as connection:
            for row in await connection.execute(select(permissions)):
                found.setdefault(row.role, set()).add(row.permission)
        return {role: frozenset(may) for role, may in found.items()}

    async def permissions_of(self, role: Role) -> frozenset[str]:
        """What a role may do, such as campaigns, cases, calls, listen, evidence, scripts, reports, users."""
        query = select(permissions.c.permission).where(permissions.c.role == role)
        async with self._database.begin() as connection:
            return frozenset((await connection.execute(query)).scalars())

    async def issue_link(self, username: str, now: dt.datetime, lasts: dt.timedelta = dt.timedelta(hours=1)) -> str:
        """A secret that logs `username` in once; show it to nobody else."""
        return await self._issue(LINK, username, "", now, now + lasts)

    async def redeem_link(self, token: str, now: dt.datetime) -> User | None:
        """The user of a login link that was neither used nor is too old; it is used now."""
        query = (
            update(secrets)
            .where(secrets.c.token_sha256 == digest(token), secrets.c.kind == LINK)
            .where(secrets.c.used_at.is_(None), secrets.c.expires_at > now)
            .values(used_at=now)
            .returning(secrets.c.username)
        )
        async with self._database.begin() as connection:
            username = (await connection.execute(query)).scalar_one_or_none()
            row = await _row(connection, username) if username else None
        return _to_user(row) if row is not None and not row.disabled else None

    async def revoke_tokens(self, username: str) -> int:
        """Make all links and tokens of a user worthless; how many there were."""
        async with self._database.begin() as connection:
            return (await connection.execute(delete(secrets).where(secrets.c.username == username))).rowcount

    async def _issue(
        self, kind: str, username: str, label: str, now: dt.datetime, expires_at: dt.datetime | None
    ) -> str:
        token = chance.token_urlsafe(32)
        values = {
            "token_sha256": digest(token),
            "kind": kind,
            "username": username,
            "label": label,
            "created_at": now,
            "expires_at": expires_at,
        }
        async with self._database.begin() as connection:
            await connection.execute(secrets.insert().values(**values))
        return token


async def _row(connection: AsyncConnection, username: str) -> AnyRow | None:
    return (await connection.execute(select(users).where(func.lower(users.c.username) == username.lower()))).first()


async def _hash(password: str) -> str:
    return await asyncio.to_thread(_hasher.hash, password)


async def _verify(password_hash: str | None, password: str) -> bool:
    """About 50 ms in a thread, also for nobody."""

    def check() -> bool:
        try:
            return _hasher.verify(password_hash or _NOBODY, password) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False

    return await asyncio.to_thread(check)


def _to_user(row: AnyRow) -> User:
    return User(
        username=row.username,
        role=Role(row.role),
        display_name=row.display_name,
        created_at=row.created_at,
        disabled=row.disabled,
        agent_id=row.agent_id,
        identity=row.identity,
    )
