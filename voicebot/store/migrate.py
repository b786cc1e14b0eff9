"""Migration: bring a database to the tables that this version of the program expects, as far as others allow it."""

from __future__ import annotations

from dataclasses import dataclass, field

from alembic import command
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from voicebot.store.phases import Phase, configured, in_order, newest
from voicebot.store.urls import sqlalchemy_url

__all__ = ["Migrated", "NotUnicode", "OlderWorkers", "TooOld", "migrate", "newest", "state"]

ALIVE_S = 30
"""A worker or control that was heard of so lately may still use what an `after` migration takes away."""
_LOCK = 0x766F6963  # "voic": processes that start together migrate one after the other
_LATELY = "clock_timestamp() - make_interval(secs => :alive)"
_NARROWED = "schema.narrowed"
"""The setting that tells older programs which `after` migration was run last."""


class OlderWorkers(ValueError):
    """Workers of an older version run, and the tables can't be changed under them; the message says what to do."""


class TooOld(ValueError):
    """This program is older than the tables allow."""


class NotUnicode(ValueError):
    """The database was made with an encoding that can't hold names; the message says how to make another."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """`at`: the newest migration that was run; `held_back`: those that wait until `older` workers have gone."""

    at: str | None
    ran: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()
    older: tuple[str, ...] = field(default=())

    @property
    def needed(self) -> tuple[str, ...]:
        """Of those that ran, or are missing: what this program can't do without; `after` migrations it can."""
        wide = {name for name, phase in in_order() if phase == "before"}
        last = max((number for number, name in enumerate(self.ran) if name in wide), default=-1)
        return self.ran[: last + 1]


def migrate(url: str, part: Phase | None = None) -> Migrated:
    """Run the migrations that are missing, in one transaction; harmless to repeat. Blocking (about 0.2 s).

    `before`: only what older workers can live with. `after`: all; OlderWorkers while there are any. None: as far as
    the workers that are alive allow; OlderWorkers only when this program could not work with what there is then.
    A database that newer programs have widened is left as it is; TooOld when they have narrowed it too.

    In a coroutine use `await asyncio.to_thread(migrate, url)`. Raises ValueError for a URL that is not
    PostgreSQL, NotUnicode and sqlalchemy.exc.OperationalError when the server does not answer.
    """
    with _engine(url).begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = _look(connection)
        if part == "after" and found.older:
            raise OlderWorkers(_told(found.held_back, found.older))
        run = _first_run(found.ran, part, found.held_back)
        rest = found.ran[len(run) :]
        if part is None and any(phase == "before" for one, phase in in_order() if one in rest):
            raise OlderWorkers(_told(rest, found.older))
        if run:
            _upgrade(connection, run)
    return Migrated(run[-1] if run else found.at, run, rest, found.older)


def state(url: str) -> Migrated:
    """Where a database stands, changing nothing: `ran` is what is missing, `held_back` what must still wait of it."""
    with _engine(url).begin() as connection:
        return _look(connection)


def _engine(url: str) -> Engine:
    """Our side's encoding is said aloud: to a database without one the driver would give bytes."""
    return create_engine(sqlalchemy_url(url), poolclass=NullPool, connect_args={"client_encoding": "utf8"})


def _look(connection: Connection) -> Migrated:
    """`ran`: all that are missing. TooOld, NotUnicode."""
    encoding, name = connection.execute(text("SELECT current_setting('server_encoding'), current_database()")).one()
    if encoding != "UTF8":
        raise NotUnicode(f"the database {name} is encoded in {encoding}, and names are Chinese. Make another: "
                         f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")  # fmt: skip
    at, known = _version(connection), in_order()
    names = [name for name, _ in known]
    if at is not None and at not in names:
        _refuse_if_narrowed(connection, names[-1])
        return Migrated(at)
    missing = known[names.index(at) + 1 :] if at is not None else known
    older = _older(connection, [name for name, phase in missing if phase == "after"]) if at is not None else {}
    waits = [name for name, phase in missing if phase == "after" and any(name > schema for schema in older.values())]
    held = tuple(name for name, _ in missing[[name for name, _ in missing].index(waits[0]) :]) if waits else ()
    return Migrated(at, tuple(name for name, _ in missing), held, tuple(sorted(older)))


def _first_run(missing: tuple[str, ...], part: Phase | None, held: tuple[str, ...]) -> tuple[str, ...]:
    """What of the missing may run now: it ends before the first `after` migration that must wait."""
    phases = dict(in_order())
    for number, name in enumerate(missing):
        if phases[name] == "after" and (part == "before" or (part is None and name in held)):
            return missing[:number]
    return missing


def _version(connection: Connection) -> str | None:
    if not connection.execute(text("SELECT to_regclass('alembic_version') IS NOT NULL")).scalar_one():
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return found


def _older(connection: Connection, narrowing: list[str]) -> dict[str, str]:
    """Living workers and controls that do not know all of these migrations, each with the newest that it knows."""
    known = connection.execute(text("SELECT to_regclass('workers') IS NOT NULL")).scalar_one()
    if not known or not narrowing:
        return {}
    query = """
        SELECT name, schema, seen_at FROM workers WHERE state <> 'left' UNION ALL
        SELECT name, schema, seen_at FROM controls
    """
    older = f"SELECT name, schema FROM ({query}) AS all_of_them WHERE schema < :last AND seen_at > {_LATELY}"
    rows = connection.execute(text(older), {"alive": ALIVE_S, "last": narrowing[-1]})
    return {str(row.name): str(row.schema) for row in rows}


def _refuse_if_narrowed(connection: Connection, ours: str) -> None:
    query = text("SELECT value FROM settings WHERE key = :key")
    narrowed = connection.execute(query, {"key": _NARROWED}).scalar_one_or_none()
    if narrowed is not None and str(narrowed) > ours:
        raise TooOld(f"the database was made for newer programs (migration {narrowed}, this one knows {ours}): "
                     "install the newer version here too, or restore the backup from before the change")  # fmt: skip


def _upgrade(connection: Connection, run: tuple[str, ...]) -> None:
    config = configured()
    config.attributes["connection"] = connection
    command.upgrade(config, run[-1])
    narrowing = [name for name, phase in in_order() if phase == "after" and name in run]
    if narrowing:
        query = "INSERT INTO settings (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = :value"
        connection.execute(text(query), {"key": _NARROWED, "value": narrowing[-1]})


def _told(migrations: tuple[str, ...], workers: tuple[str, ...]) -> str:
    return (
        f"migrations {', '.join(migrations)} must wait for older workers ({', '.join(workers)}): "
        "drain and upgrade them first, then run: voicebot database upgrade --after"
    )
