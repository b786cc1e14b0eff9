"""Migrations and schema.py describe the same tables."""

from __future__ import annotations

import os

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import create_engine, text

from voicebot.store import migrate
from voicebot.store.columns import metadata
from voicebot.store.migrate import NotUnicode, newest, state
from voicebot.store.urls import conninfo, sqlalchemy_url


def test_the_migrated_database_is_the_one_in_schema(database_url: str) -> None:
    with create_engine(sqlalchemy_url(database_url)).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    migrate(database_url)
    with create_engine(sqlalchemy_url(database_url)).connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [newest()]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_can_hold_no_chinese_is_refused(postgres: str, encoding: str) -> None:
    admin, name = postgres.replace("/voicebot?", "/postgres?"), f"narrow_{encoding.lower()}_{os.getpid()}"
    made = f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(made.encode())
        try:
            for look in (migrate, state):
                with pytest.raises(NotUnicode, match=f"{name} is encoded in {encoding}.*ENCODING 'UTF8'"):
                    look(postgres.replace("/voicebot?", f"/{name}?"))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.mark.parametrize("text_", ["", "sqlite:///x", "mysql://a:geheim@b/c", "no url", "postgresql:/x:y:z"])
def test_other_databases_are_refused_without_showing_the_password(text_: str) -> None:
    with pytest.raises(ValueError, match="VOICEBOT_DATABASE_URL must be") as refusal:
        sqlalchemy_url(text_)
    assert "geheim" not in str(refusal.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+asyncpg"])
def test_every_spelling_of_postgresql_means_psycopg(scheme: str) -> None:
    url = sqlalchemy_url(f"{scheme}://u:p%40ss@db:5433/voicebot")
    assert (url.drivername, url.password, url.port) == ("postgresql+psycopg", "p@ss", 5433)
    assert conninfo_to_dict(conninfo(f"{scheme}://u:p@db/voicebot"))["host"] == "db"
