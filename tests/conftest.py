"""One embedded PostgreSQL per test session, one fresh, migrated database per test."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from tests.prompts import forget_prompts, keep_prompts

if TYPE_CHECKING:
    from voicebot.store import Store

# The same examples every time, so that a change fails for what it changed; VOICEBOT_EXPLORE=1 looks for new ones.
# How long one takes says what else the machine does, not whether we are right.
_UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", _UNHURRIED)
settings.register_profile("same", _UNHURRIED, derandomize=True)
settings.load_profile("explore" if os.environ.get("VOICEBOT_EXPLORE") else "same")

_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        keep_prompts()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        forget_prompts()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a server whose database `voicebot` is migrated and serves as a template."""
    import psycopg

    from voicebot.store import EmbeddedPostgres, migrate

    with tempfile.TemporaryDirectory(prefix="vbtest") as folder:
        server = EmbeddedPostgres(Path(folder) / "pg")
        url = server.start()
        with psycopg.connect(url, autocommit=True) as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")
        migrate(url)
        try:
            yield url
        finally:
            server.stop()


@pytest.fixture
def database_url(postgres: str) -> Iterator[str]:
    """URL of a database of the test's own, with all tables and nothing in them."""
    import psycopg

    name = f"test_{next(_numbers)}"
    admin = postgres.replace("/voicebot?", "/postgres?")
    with psycopg.connect(admin, autocommit=True) as connection:
        # Files copied as they are: half the time of going through the log.
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE voicebot STRATEGY FILE_COPY')
    yield postgres.replace("/voicebot?", f"/{name}?")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest_asyncio.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """A Store on the test's own database."""
    from voicebot.store import Store

    async with Store.from_url(database_url) as opened:
        yield opened
