"""Migration: bring a database to the tables that this version of the program expects."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from voicebot.store.urls import sqlalchemy_url

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x766F6963  # "voic": processes that start together migrate one after the other


def migrate(url: str, to: str = "head") -> None:
    """Run all migrations that are missing, in one transaction; harmless to repeat. Blocking (about 0.2 s).

    In a coroutine use `await asyncio.to_thread(migrate, url)`. Raises ValueError for a URL that is not
    PostgreSQL and sqlalchemy.exc.OperationalError when the server does not answer.
    """
    engine = create_engine(sqlalchemy_url(url), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        command.upgrade(_config(connection), to)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
