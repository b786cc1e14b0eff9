"""Leadership: of all processes that could do a task, one does. The lock hangs on a connection and dies with it."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.store.database import Database, lock_key

_OUST = text("""
    SELECT pg_terminate_backend(pid) FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND pid <> pg_backend_pid()
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (classid::bigint << 32) | objid::bigint = CAST(:key AS bigint)
""")


class Leadership:
    """One process' claim to lead a role."""

    def __init__(self, database: Database, role: str) -> None:
        self._database = database
        self._key = {"key": lock_key("leader", role)}
        self._connection: AsyncConnection | None = None

    @property
    def held(self) -> bool:
        """Whether this process led when it last asked."""
        return self._connection is not None

    async def hold(self) -> bool:
        """Whether this process leads from here on. Takes the lead where nobody has it.

        After the server or the way to it was away the lead is lost, and taken again unless somebody else was sooner.
        Raises sqlalchemy.exc.OperationalError while the server is away: then nobody leads.
        """
        if self._connection is not None and not await self._is_alive(self._connection):
            await self._drop()
        if self._connection is not None:
            return True
        connection = await self._database.engine.connect()
        try:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            leads = bool((await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), self._key)).scalar_one())
        except BaseException:
            await connection.invalidate()
            await connection.close()
            raise
        if leads:
            self._connection = connection
        else:
            await connection.close()
        return leads

    async def give_up(self) -> None:
        """Let somebody else lead."""
        if self._connection is not None:
            with suppress(SQLAlchemyError):  # a lost connection has lost the lock already
                await self._connection.execute(text("SELECT pg_advisory_unlock(:key)"), self._key)
            await self._drop()

    async def oust(self) -> bool:
        """Cut the connection of whoever leads: a process that stands still would keep the lead for ever.

        Whether there was one. A process that goes on after all finds within seconds that it leads no more.
        """
        async with self._database.begin() as connection:
            return bool((await connection.execute(_OUST, self._key)).scalars().all())

    async def _is_alive(self, connection: AsyncConnection) -> bool:
        try:
            await connection.execute(text("SELECT true"))
        except SQLAlchemyError:
            return False
        return True

    async def _drop(self) -> None:
        """Close for good: a connection that went back to the pool would keep the lock."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                await connection.invalidate()
            with suppress(SQLAlchemyError):
                await connection.close()
