"""A connection that was cut is replaced unseen; one that was just used is given out without a question."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from voicebot.store import rested
from voicebot.store.database import Database

CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'rested'"
)


async def ask(database: Database) -> int:
    async with database.begin() as connection:
        await connection.execute(text("SET application_name = 'rested'"))
        return int((await connection.execute(text("SELECT 1"))).scalar_one())


@pytest.fixture
def pings(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> list[object]:
    from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg

    asked: list[object] = []
    ping = PGDialectAsync_psycopg.do_ping

    def counted(self: Any, connection: Any) -> bool:
        asked.append(connection)
        return ping(self, connection)

    monkeypatch.setattr(PGDialectAsync_psycopg, "do_ping", counted)
    return asked


async def test_what_was_just_used_is_not_asked(database_url: str, pings: list[object]) -> None:
    database = Database(database_url)
    assert [await ask(database) for _ in range(5)] == [1] * 5
    assert pings == []
    await database.close()


async def test_a_rested_connection_that_was_cut_is_replaced_unseen(
    database_url: str, pings: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rested, "FRESH_S", 0.0)
    database = Database(database_url)
    assert await ask(database) == 1
    with psycopg.connect(database_url, autocommit=True) as other:
        assert other.execute(CUT).fetchall() == [(True,)]
    assert await ask(database) == 1
    assert len(pings) == 1
    await database.close()


async def test_a_fresh_connection_that_was_cut_is_replaced_unseen_too(database_url: str) -> None:
    database = Database(database_url)
    for _ in range(5):
        assert await ask(database) == 1
        with psycopg.connect(database_url, autocommit=True) as other:
            assert other.execute(CUT).fetchall() == [(True,)]
            while other.execute(CUT.replace("pg_terminate_backend(pid)", "pid")).fetchall():
                pass
        assert await ask(database) == 1
    await database.close()
