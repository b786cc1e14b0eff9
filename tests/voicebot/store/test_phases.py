"""Migrations in two parts: what older workers can live with comes first, and the rest waits for them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.script import ScriptDirectory
from typer.testing import CliRunner

from voicebot.cli.commands import app
from voicebot.store import phases
from voicebot.store.migrate import OlderWorkers, TooOld, migrate, newest, state
from voicebot.store.urls import conninfo

FIRST_IN_TWO_PARTS = "0022"

LATER = {
    "9001": ("before", "ALTER TABLE calls ADD COLUMN added text"),
    "9002": ("after", "ALTER TABLE calls DROP COLUMN why"),
    "9003": ("before", "ALTER TABLE calls ADD COLUMN third text"),
}
FILE = '''"""A migration of tomorrow."""

from alembic import op

revision = "{name}"
down_revision = "{before}"
branch_labels = None
depends_on = None
phase = "{phase}"


def upgrade() -> None:
    op.get_bind().exec_driver_sql("{sql}")
'''


@pytest.fixture
def tomorrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """This program as it may be tomorrow: call it with the names of migrations that it knows beyond today's."""

    def know(*names: str) -> None:
        folder = tmp_path / "-".join(names)
        shutil.copytree(Path(phases.__file__).parent / "migrations", folder)
        before = today
        for name in names:
            phase, sql = LATER[name]
            text = FILE.format(name=name, before=before, phase=phase, sql=sql)
            (folder / "versions" / f"{name}_later.py").write_text(text)
            before = name
        monkeypatch.setattr(phases, "_FOLDER", folder)

    today = newest()
    return know


def worker(url: str, schema: str, *, age_s: float = 0, name: str = "old-0", state: str = "up") -> None:
    """A worker that knows migrations up to `schema` and was seen so long ago."""
    with psycopg.connect(conninfo(url)) as connection:
        connection.execute("DELETE FROM workers WHERE name = %s", (name,))
        connection.execute(
            "INSERT INTO workers (name, machine, home, life, version, schema, state, joined_at, seen_at) VALUES "
            "(%s, 'm', 'h', 'l', '0', %s, %s, now(), now() - make_interval(secs => %s))", (name, schema, state, age_s)
        )  # fmt: skip


def columns(url: str, table: str = "calls") -> set[str]:
    query = "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
    with psycopg.connect(conninfo(url)) as connection:
        return {row[0] for row in connection.execute(query, (table,))}


def test_without_older_workers_everything_is_run(database_url: str, tomorrow: Any) -> None:
    tomorrow("9001", "9002")
    worker(database_url, newest())
    worker(database_url, "0001", age_s=3600, name="dead-0")
    worker(database_url, "0001", state="left", name="left-0")
    done = migrate(database_url)
    assert (done.ran, done.held_back) == (("9001", "9002"), ())
    assert "why" not in columns(database_url)


def test_what_narrows_waits_for_older_workers(database_url: str, tomorrow: Any) -> None:
    worker(database_url, newest())
    tomorrow("9001", "9002")
    done = migrate(database_url)
    assert (done.ran, done.held_back, done.older) == (("9001",), ("9002",), ("old-0",))
    assert {"added", "why"} <= columns(database_url)
    assert state(database_url).needed == (), "the new program can do without what is held back"
    with pytest.raises(OlderWorkers, match=r"old-0.*upgrade --after"):
        migrate(database_url, "after")
    worker(database_url, "9002")
    assert migrate(database_url, "after").ran == ("9002",)
    assert "why" not in columns(database_url)


def test_what_widens_behind_what_narrows_can_t_be_had_yet(database_url: str, tomorrow: Any) -> None:
    worker(database_url, newest())
    tomorrow("9001", "9002", "9003")
    with pytest.raises(OlderWorkers, match="9002, 9003"):
        migrate(database_url)
    assert migrate(database_url, "before").ran == ("9001",)
    assert state(database_url).needed == ("9002", "9003")


def test_an_older_program_starts_on_wider_tables_and_not_on_narrower_ones(
    database_url: str, tomorrow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = phases._FOLDER
    tomorrow("9001", "9002")
    migrate(database_url, "before")
    new = phases._FOLDER
    monkeypatch.setattr(phases, "_FOLDER", known)
    assert migrate(database_url).ran == ()
    monkeypatch.setattr(phases, "_FOLDER", new)
    migrate(database_url, "after")
    monkeypatch.setattr(phases, "_FOLDER", known)
    with pytest.raises(TooOld, match="9002"):
        migrate(database_url)


def test_the_command_tells_and_does(database_url: str, tomorrow: Any, tmp_path: Path) -> None:
    worker(database_url, newest())
    tomorrow("9001", "9002")
    env = {"VOICEBOT_DATABASE_URL": database_url, "VOICEBOT_HOME": str(tmp_path / "home")}

    def run(*words: str) -> Any:
        return CliRunner(env=env).invoke(app, ["database", *words])

    told = json.loads(run("state", "--json").output)
    assert (told["missing"], told["held_back"]) == ({"9001": "before", "9002": "after"}, ["9002"])
    assert json.loads(run("upgrade", "--before", "--json").output)["ran"] == ["9001"]
    refused = run("upgrade", "--after")
    assert (refused.exit_code, "old-0" in refused.output) == (2, True)
    assert run("upgrade", "--before", "--after").exit_code == 2
    worker(database_url, "9002")
    assert json.loads(run("upgrade", "--after", "--json").output)["ran"] == ["9002"]


def test_every_migration_says_its_phase_itself_from_the_first_in_two_parts_on() -> None:
    names = [name for name, _ in phases.in_order() if name >= FIRST_IN_TWO_PARTS]
    assert names == sorted(names), "older workers are told by the number"
    for script in ScriptDirectory.from_config(phases.configured()).walk_revisions():
        told = getattr(script.module, "phase", None)
        assert (told is not None) == (script.revision >= FIRST_IN_TWO_PARTS), script.revision


@pytest.fixture
def empty_url(postgres: str) -> Iterator[str]:
    """A database without tables."""
    name = f"phases_{os.getpid()}_{os.urandom(4).hex()}"
    admin = postgres.replace("/voicebot?", "/postgres?")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield postgres.replace("/voicebot?", f"/{name}?")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable, column_default IS NOT NULL OR is_identity = 'YES'
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
"""
RULES = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'u', 'p', 'x')
    UNION SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE '%UNIQUE%'
"""


def test_what_calls_itself_widening_takes_nothing_from_older_programs(empty_url: str) -> None:
    """Looked at in PostgreSQL's own catalogue, before and after each migration."""
    known = phases.in_order()
    run_to(empty_url, "0021")
    for name, phase in known:
        if name < FIRST_IN_TWO_PARTS or phase == "after":
            if name >= FIRST_IN_TWO_PARTS:
                run_to(empty_url, name)
            continue
        old, old_rules = catalogue(empty_url)
        run_to(empty_url, name)
        new, new_rules = catalogue(empty_url)
        tables = {table for table, _ in old}
        for place, (kind, nullable, filled) in old.items():
            assert place in new, f"{name} takes {place} away"
            assert new[place][0] == kind, f"{name} makes another kind of {place}"
            assert new[place][1] >= nullable, f"{name} makes {place} mandatory"
            assert new[place][2] >= filled, f"{name} takes the default of {place}"
        for place, (_, nullable, filled) in new.items():
            if place[0] in tables and place not in old:
                assert nullable or filled, f"{name}: older programs do not fill {place}"
        added = {rule for rule in new_rules - old_rules if rule[0] in tables}
        strict = [rule for rule in added if not any(column in rule[2] for column in fresh(old, new, rule[0]))]
        assert not strict, f"{name} forbids what older programs may write: {strict}"
        assert {rule for rule in old_rules - new_rules if "UNIQUE" in rule[2] or "PRIMARY" in rule[2]} == set()


def fresh(old: dict[Any, Any], new: dict[Any, Any], table: str) -> set[str]:
    """The columns that a migration added to a table."""
    return {column for (name, column) in new if name == table and (name, column) not in old}


def catalogue(url: str) -> tuple[dict[tuple[str, str], tuple[str, bool, bool]], set[tuple[str, ...]]]:
    with psycopg.connect(conninfo(url)) as connection:
        rows = connection.execute(COLUMNS).fetchall()
        found = {(table, name): (kind, empty == "YES", bool(filled)) for table, name, kind, empty, filled in rows}
        return found, {tuple(map(str, row)) for row in connection.execute(RULES)}


def run_to(url: str, name: str) -> None:
    """Migrate as far as this one."""
    from alembic import command
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    from voicebot.store.urls import sqlalchemy_url

    with create_engine(sqlalchemy_url(url), poolclass=NullPool).begin() as connection:
        config = phases.configured()
        config.attributes["connection"] = connection
        command.upgrade(config, name)
