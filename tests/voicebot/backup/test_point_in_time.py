"""To the minute: the page's commands bring a database back to just before a wrong DELETE, and its machine with it."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cluster.database import binaries, unusable
from tests.voicebot.backup.sites import KEY, Site
from tests.voicebot.evidence.conftest import START
from tests.voicebot.store.samples import campaign
from voicebot.store import Store, migrate

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "how-to" / "backup.md"
BLOCK = re.compile(r"^```sh\n# (.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KEEPER = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name

WHY = unusable() if os.geteuid() == 0 else None
pytestmark = [pytest.mark.slow, pytest.mark.skipif(WHY is not None, reason=f"!!! NO DATABASE TO RECOVER: {WHY}")]


class Machine:
    """The shell of whoever keeps the database, and of whoever runs voicebot, in which the page's blocks are typed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        self.database = folder / "database"
        self.database.mkdir()
        shutil.chown(self.database, KEEPER)
        (folder / "bin").mkdir()
        shim = folder / "bin" / "voicebot"
        shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m voicebot.cli "$@"\n')
        shim.chmod(0o755)
        (folder / "key").write_text(KEY)
        self.url = f"postgresql://voicebot@/voicebot?host={self.database}"
        self.places = {"PGDATA": f"{self.database}/data", "ARCHIVE": f"{self.database}/archive",
                       "BACKUPS": f"{folder}/backups", "KEY": f"{folder}/key"}  # fmt: skip

    def keeper(self, commands: str, **more: str) -> str:
        """As the user of the database. AssertionError with what was printed, at the first command that fails."""
        ways = f"-h '' -k {self.database}"
        starts = (
            f"start_database() {{ pg_ctl -D $PGDATA -w -t 120 -l {self.database}/log -o {shlex.quote(ways)} start; }}\n"
            "stop_database() { pg_ctl -D $PGDATA -w -m fast stop; }\n"
        )
        shell = ["bash", "-ec", starts + commands]
        if os.geteuid() == 0:
            shell = ["setpriv", f"--reuid={KEEPER}", "--clear-groups", *shell]
        words = {"PGUSER": "voicebot", "PGHOST": str(self.database), "HOME": str(self.database)}
        code, said = self._typed(shell, words | more, self.database)
        log = self.database / "log"
        assert code == 0, said + (log.read_text()[-3000:] if log.exists() else "")
        return said

    def voicebot(self, commands: str) -> tuple[int, str]:
        """Where voicebot runs; exit code of the first command that fails, and what was printed."""
        words = {"VOICEBOT_HOME": str(self.home), "VOICEBOT_DATABASE_URL": self.url, "PYTHONPATH": str(ROOT)}
        return self._typed(["bash", "-ec", commands], words, self.folder)

    def _typed(self, shell: list[str], words: dict[str, str], folder: Path) -> tuple[int, str]:
        path = {"PATH": f"{self.folder / 'bin'}:{binaries()}:{os.environ['PATH']}"}
        done = subprocess.run(
            shell, env={**os.environ, **self.places, **path, **words}, cwd=folder, text=True, timeout=240, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return done.returncode, done.stdout

    def asked(self, query: str) -> Any:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()


@pytest.fixture
def machine() -> Iterator[Machine]:
    folder = Path(tempfile.mkdtemp(prefix="vbpit-"))
    folder.chmod(0o755)
    made = Machine(folder)
    try:
        made.keeper('initdb -D "$PGDATA" -U voicebot --auth=trust --no-sync --encoding=UTF8 --locale=C.UTF-8\n'
                    "start_database\ncreatedb voicebot")  # fmt: skip
        migrate(made.url)
        yield made
    finally:
        made.keeper("stop_database || true")
        shutil.rmtree(folder, ignore_errors=True)


def page() -> dict[str, str]:
    """The page's blocks behind its places, by their order."""
    text = PAGE.read_text("utf-8").partition("## To the minute")[2]
    blocks = BLOCK.findall(text)
    assert len(blocks) == text.count("```sh"), "a block does not say where it is typed"
    names = ("places", "once", "weekly", "back", "lost", "before the start")
    assert len(blocks) == len(names), [title for title, _ in blocks]
    assert set(re.findall(r"^(?:export )?([A-Z]+)=", blocks[0][1], re.MULTILINE)) == {
        "PGDATA", "ARCHIVE", "BACKUPS", "KEY", "PATH"}  # fmt: skip
    return {name: commands for name, (_, commands) in zip(names, blocks, strict=True)}


def test_a_wrong_delete_is_undone_on_a_machine_that_is_lost_too(machine: Machine) -> None:
    blocks, site = page(), Site(machine.home, machine.url)
    machine.keeper(blocks["once"])
    asyncio.run(site.live(range(1, 3)))
    assert "successfully verified" in machine.keeper(blocks["weekly"])
    asyncio.run(site.live(range(3, 5)))
    asyncio.run(_dial(machine.url))
    promises = machine.asked("SELECT case_id, amount_fen FROM promises ORDER BY case_id")
    assert len(promises) == 4
    ((moment,),) = machine.asked("SELECT clock_timestamp()::text")

    asyncio.run(site.live(range(5, 6)))
    (machine.home / "rules").mkdir()
    (machine.home / "rules" / "own.yaml").write_text("# ours\n")
    machine.asked("WITH gone AS (DELETE FROM promises RETURNING 1) SELECT count(*) FROM gone")
    backup = json.loads(site.run("make", machine.places["BACKUPS"], "--key", "env:BACKUP_KEY", "--json").output)
    assert backup["counts"]["promises"] == 0, "what was deleted is deleted in the backup too"
    shutil.rmtree(machine.home)

    machine.keeper(blocks["back"], MOMENT=moment)
    assert machine.asked("SELECT case_id, amount_fen FROM promises ORDER BY case_id") == promises
    code, said = machine.voicebot(blocks["before the start"])
    assert code == 2 and "holds no signing key" in said, "no new keys are made beside an old log"
    code, said = machine.voicebot(blocks["lost"])
    assert code == 0, said
    assert (machine.home / "rules" / "own.yaml").exists() and not (machine.home / "postgres").exists()
    code, said = machine.voicebot(blocks["before the start"].rstrip() + " --json")
    told = json.loads(said.splitlines()[-1])
    assert (told["recordings"], told["elsewhere"], told["later"]) == (4, 0, ["call-5"])
    assert told["calmed"]["campaigns"] == 1
    assert code == 1 and [one.split(":")[1].strip() for one in told["failures"]] == ["operations_cut"]
    assert machine.asked("SELECT count(*) FROM halts") == [(1,)]
    assert machine.asked("SELECT state FROM campaigns") == [("paused",)]
    assert machine.asked("SELECT name FROM pg_file_settings WHERE name LIKE 'rec%_target%'") == []
    assert "successfully verified" in machine.keeper(blocks["weekly"]), "the archive goes on, on a new timeline"


async def _dial(url: str) -> None:
    async with Store.from_url(url) as store:
        running = await campaign(store)
        await store.campaigns.start(running.id, START)
