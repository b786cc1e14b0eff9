"""Database: the connection pool, and listening for NOTIFY."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import psycopg
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from voicebot.store.connecting import connect
from voicebot.store.rested import ask_the_rested
from voicebot.store.urls import sqlalchemy_url

FACTS = "voicebot_facts"
COMMANDS = "voicebot_commands"
CLOSED = "voicebot_closed"
DESK = "voicebot_desk"
ALERTS = "voicebot_alerts"
SCRIPTS = "voicebot_scripts"
DIALLING = "voicebot_dialling"
_RECONNECT_S = (0.1, 0.3, 1.0, 3.0)


class Database:
    """One pool for one process and event loop. Sessions speak UTC."""

    def __init__(self, url: str, pool_size: int = 5) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=pool_size,
            max_overflow=pool_size,
            hide_parameters=True,  # errors go to logs, and parameters are names, numbers and what was said
            async_creator=lambda: connect(url, options="-c timezone=UTC -c lock_timeout=10s"),
        )
        ask_the_rested(self.engine)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end, rolled back when an exception leaves."""
        async with self.engine.begin() as connection:
            yield connection

    async def close(self) -> None:
        await self.engine.dispose()

    async def notify(self, channel: str, payload: str) -> None:
        """Wake listeners without writing anything; `payload` at most 7999 bytes."""
        async with self.begin() as connection:
            await connection.execute(
                text("SELECT pg_notify(:channel, :payload)"), {"channel": channel, "payload": payload}
            )

    async def listen(self, channel: str) -> AsyncIterator[str]:
        """Payloads of NOTIFY on `channel`, for ever; survives a restart of the server.

        The first payload, and the first after a lost connection, is "": listening works from here on, so read
        afresh what may have happened before.
        """
        failures = 0
        while True:
            try:
                async with aclosing(self._listen_once(channel)) as payloads:
                    async for payload in payloads:
                        failures = 0
                        yield payload
            except psycopg.OperationalError:
                await asyncio.sleep(_RECONNECT_S[min(failures, len(_RECONNECT_S) - 1)])
                failures += 1

    async def _listen_once(self, channel: str) -> AsyncGenerator[str]:
        connection = await connect(self.url, autocommit=True)
        async with connection:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            yield ""
            async for note in connection.notifies():
                yield note.payload


def lock_key(kind: str, key: str) -> int:
    """A stable 64-bit number for PostgreSQL's advisory locks."""
    return int.from_bytes(hashlib.sha256(f"{kind}\0{key}".encode()).digest()[:8], "big", signed=True)


def is_away(error: Exception) -> bool:
    """Whether the server or the way to it is gone for now; anything else it would refuse again."""
    return isinstance(error, OSError | OperationalError | InterfaceError | PoolTimeoutError)
