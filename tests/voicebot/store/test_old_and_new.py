"""Old programs on new tables: what an older version told PostgreSQL still works, and it works beside this one."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import psycopg
import pytest

from voicebot.store import Store
from voicebot.store.migrate import newest
from voicebot.store.urls import conninfo

from . import life

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
VERSIONS = "voicebot/store/migrations/versions"
_NO_STATEMENT = ("SAVEPOINT", "RELEASE", "ROLLBACK")


def test_what_older_programs_tell_postgresql_is_understood(database_url: str) -> None:
    """Statements that the version of migration 0021 was heard to send, with the values that it sent."""
    recorded = sorted((HERE / "data").glob("statements-*.sql"))
    assert recorded
    for file in recorded:
        statements = [line for line in file.read_text("utf-8").splitlines() if not line.startswith(_NO_STATEMENT)]
        assert len(statements) > 80
        with psycopg.connect(conninfo(database_url), autocommit=True) as connection:
            for number, statement in enumerate(statements, 1):
                try:
                    connection.execute(statement.encode())
                except psycopg.Error as error:
                    pytest.fail(f"{file.name}, statement {number}: {error}: {statement[:300]}")
            told = connection.execute("SELECT id, disposition, lost FROM calls ORDER BY id").fetchall()
            assert told == [("call-C1", "promise_to_pay", False), ("call-C2", "promise_to_pay", False)]
            settled = connection.execute("SELECT DISTINCT state, reached FROM attempts").fetchall()
            assert settled == [("settled", "conversation")]
            assert connection.execute("SELECT count(*), sum(amount_fen) FROM promises").fetchone() == (2, 100_000)
            connection.execute("TRUNCATE calls, cases, operations CASCADE")


def _git(*words: str) -> bytes:
    return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, check=True).stdout


def _older_version(folder: Path) -> str | None:
    """Lay out the newest committed version that knows fewer migrations than this one; its newest migration."""
    try:
        commits = _git("log", "--format=%H", "--", VERSIONS).decode().split()
        for commit in commits:
            files = _git("ls-tree", "--name-only", f"{commit}:{VERSIONS}").decode().split()
            known = max(name[:4] for name in files if name[:4].isdigit())
            if known < newest():
                with tarfile.open(fileobj=io.BytesIO(_git("archive", commit, "voicebot", "sip"))) as tar:
                    tar.extractall(folder, filter="data")
                return known
    except (OSError, subprocess.CalledProcessError):
        return None
    return None


@pytest.mark.slow
async def test_an_older_worker_and_this_one_share_the_work(database_url: str, tmp_path: Path) -> None:
    """Both take attempts from the same queue at the same time, each by its own code, on this version's tables."""
    known = await asyncio.to_thread(_older_version, tmp_path / "old")
    if known is None:
        pytest.skip("NO GIT HISTORY HERE: the version before this one can't be run beside it")
    async with Store.from_url(database_url) as store:
        await life.plan(store, 12)
        workers = {name: await _start(home, database_url, name) for name, home in
                   (("old-0", tmp_path / "old"), ("new-0", ROOT))}  # fmt: skip
        try:
            done = await _work(workers)
        finally:
            for process in workers.values():
                if process.returncode is None:
                    process.kill()
                await process.wait()
        taken = [case for cases in done.values() for case in cases]
        assert sorted(taken) == sorted(f"C{n}" for n in range(1, 13)), "each once"
        assert all(done.values()), f"both had a share: {done}"
        for case in taken:
            (attempt,) = await store.attempts.of_case(case)
            assert (attempt.state, attempt.leased_by) in (("settled", "old-0"), ("settled", "new-0"), ("settled", None))
            assert len(await store.promises.of_case(case)) == 1


async def _start(home: Path, url: str, name: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "life.py"), url, name, cwd=home, env=os.environ | {"PYTHONPATH": str(home)},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


async def _work(workers: dict[str, asyncio.subprocess.Process]) -> dict[str, list[str]]:
    """Let both begin at once; which cases each had."""
    done = {}
    for process in workers.values():
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        await process.stdin.drain()
    for name, process in workers.items():
        assert process.stdout is not None
        told = (await process.stdout.readline()).decode().strip()
        assert await process.wait() == 0
        done[name] = told.split(",") if told else []
    return done
