"""The embedded server: shared by processes, gone with the last, kept to ourselves, recovered after a kill."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from voicebot.store import EmbeddedPostgres, PostgresError, open_database


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vbhome") as folder:
        yield Path(folder)


def answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            return connection.execute("SELECT current_database()").fetchone() == ("voicebot",)
    except psycopg.OperationalError:
        return False


def test_data_outlives_a_restart_and_a_killed_user(home: Path) -> None:
    with open_database(home) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
        folder = Path(url.partition("host=")[2])
        assert folder.stat().st_mode & 0o077 == 0, "local connections are trusted: nobody else may reach the socket"
    assert not answers(url)
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    (home / "postgres" / ".handle_pids.json").write_text(json.dumps([int(dead.stdout)]))
    with open_database(home) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (42,)
    assert not answers(url), "a process that was killed does not keep the server up"


def test_a_given_url_is_used_as_it_is(home: Path) -> None:
    with open_database(home, "postgresql://elsewhere/db") as url:
        assert url == "postgresql://elsewhere/db"
    assert not (home / "postgres").exists()


def test_a_server_that_cannot_start_names_the_remedy(home: Path) -> None:
    (home / "postgres").write_text("a file where the folder should be")
    with pytest.raises(PostgresError, match="VOICEBOT_DATABASE_URL"):
        EmbeddedPostgres(home / "postgres").start()
