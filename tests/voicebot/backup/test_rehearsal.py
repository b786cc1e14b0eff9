"""The rehearsal: an installation with calls, promises and evidence is backed up, lost, and restored elsewhere."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.voicebot.backup.sites import Site
from tests.voicebot.evidence.conftest import START
from tests.voicebot.store.samples import campaign
from voicebot.domain.records import AgentRecord
from voicebot.evidence.log_check import check_log
from voicebot.evidence.signer import Signer
from voicebot.evidence.verify import verify_bundle
from voicebot.store import Store
from voicebot.store.dumping import DumpFailed, find_tool


@pytest.fixture
def empty_url(postgres: str) -> Iterator[str]:
    """A database without tables."""
    admin = postgres.replace("/voicebot?", "/postgres?")
    name = f"empty_{os.getpid()}_{os.urandom(4).hex()}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield postgres.replace("/voicebot?", f"/{name}?")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def made(result: Any) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.output)
    return told


def test_what_was_lost_comes_back_whole_and_waits_for_a_person(site: Site, empty_url: str, tmp_path: Path) -> None:
    asyncio.run(site.live(range(1, 4)))

    async def dial() -> None:
        async with Store.from_url(site.url) as store:
            running = await campaign(store)
            await store.campaigns.start(running.id, START)
            await store.holds.put("C0002", "诉讼保全", "bob", START)
            await store.agents.save(AgentRecord("amy", "艾米", "sip:amy@desk", presence="ready"))
            await store.agents.set_presence("amy", "ready", START)

    asyncio.run(dial())
    shelf = str(tmp_path / "shelf")
    first = made(site.run("make", shelf, "--key", "env:BACKUP_KEY", "--json"))
    assert first["recordings"] == {"here": 3, "copied": 3, "store": 0, "missing": 0}
    wanted = {path.name: path.read_bytes() for path in (site.home / "recordings").rglob("*.zip")}
    key = (site.home / "keys" / "evidence-ed25519.pem").read_bytes()
    for path in (tmp_path / "shelf").rglob("*"):
        assert not path.is_file() or b"PRIVATE KEY" not in path.read_bytes(), "keys are wrapped"
        assert not path.is_file() or "演示1".encode() not in path.read_bytes() or path.suffix == ".zip"
    shutil.rmtree(site.home)

    elsewhere = tmp_path / "elsewhere"
    result = site.run("restore", shelf, "--key", "env:BACKUP_KEY", "--json", home=elsewhere, url=empty_url)
    told = made(result)
    assert (told["failures"], told["recordings"], told["calmed"]["campaigns"]) == ([], 3, 1)
    assert told["counts"] == first["counts"] | {"operations": first["counts"]["operations"]}
    assert {path.name: path.read_bytes() for path in (elsewhere / "recordings").rglob("*.zip")} == wanted
    assert all(verify_bundle(path).valid for path in (elsewhere / "recordings").rglob("*.zip"))
    assert (elsewhere / "keys" / "evidence-ed25519.pem").read_bytes() == key
    assert (elsewhere / "keys" / "evidence-ed25519.pem").stat().st_mode & 0o077 == 0
    assert (elsewhere / "rules" / "own.yaml").read_text() == "# ours\n"
    assert check_log(Signer.load_or_create(elsewhere / "keys"))["failures"] == []

    async def look() -> None:
        async with Store.from_url(empty_url) as store:
            promises = await store.promises.due(START.date(), START.date() + dt.timedelta(days=9))
            assert [one.amount_fen for one in promises] == [50_000] * 3
            assert await store.dialling.halted() is not None
            assert [one.presence for one in await store.agents.all()] == ["offline"]
            assert [hold.case_id for hold in await store.holds.standing()] == ["C0002"]
            assert (await store.operations.latest(1))[0].action == "restored"

    asyncio.run(look())


def test_the_next_backup_copies_only_what_is_new_and_old_ones_are_thinned_out(site: Site, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    asyncio.run(site.live(range(1, 3)))
    first = made(site.run("make", str(shelf), "--key", "env:BACKUP_KEY", "--json"))
    asyncio.run(site.live(range(3, 4)))
    gone = next((site.home / "recordings").rglob("call-1.zip"))
    asyncio.run(_expire(site, "call-1"))
    gone.unlink()
    second = _next_second(site, shelf)
    assert second["recordings"] == {"here": 2, "copied": 1, "store": 0, "missing": 0}
    assert len(list(shelf.rglob("call-1.zip"))) == 1, "the older backup needs it"
    _next_second(site, shelf, "--keep", "1")
    assert not list(shelf.rglob("call-1.zip")), "it leaves with the last backup that had it"
    assert not (shelf / "backups" / first["name"]).exists()
    assert site.run("check", str(shelf)).exit_code == 0


def test_a_recording_on_another_machine_s_disk_is_missed_aloud(site: Site, tmp_path: Path) -> None:
    asyncio.run(site.live(range(1, 2)))
    shutil.rmtree(site.home / "recordings")
    result = site.run("make", str(tmp_path / "shelf"), "--key", "env:BACKUP_KEY")
    assert result.exit_code == 1
    assert "1 recordings lie on other machines' disks" in result.output


def test_nothing_is_overwritten_and_nothing_damaged_is_restored(site: Site, empty_url: str, tmp_path: Path) -> None:
    asyncio.run(site.live(range(1, 2)))
    shelf = tmp_path / "shelf"
    name = made(site.run("make", str(shelf), "--key", "env:BACKUP_KEY", "--json"))["name"]
    again = site.run("restore", str(shelf), "--key", "env:BACKUP_KEY", url=empty_url)
    assert (again.exit_code, "is not empty" in again.output) == (2, True)
    fresh = tmp_path / "fresh"
    full = site.run("restore", str(shelf), "--key", "env:BACKUP_KEY", home=fresh)
    assert (full.exit_code, "has tables already" in full.output) == (2, True)
    wrong = site.run("restore", str(shelf), "--key", "env:BACKUP_KEY", home=fresh, url=empty_url, key="cd" * 32)
    assert (wrong.exit_code, "needs master key" in wrong.output) == (2, True)
    assert site.run("make", str(shelf)).exit_code == 2, "no backup without a key"
    assert not fresh.exists() or not any(fresh.iterdir())

    folder = shelf / "backups" / name
    targets = [next(shelf.rglob("call-1.zip")), *sorted(folder.iterdir())]
    assert len(targets) == 7
    for path in targets:
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        refused = site.run("check", str(shelf))
        assert refused.exit_code == 2, path
        assert path.name in refused.output or "manifest.json" in refused.output
        path.write_bytes(whole)
    assert site.run("check", str(shelf)).exit_code == 0


def test_a_tool_that_is_older_than_the_server_is_refused() -> None:
    with pytest.raises(DumpFailed, match="postgresql-client-99"):
        find_tool("pg_dump", 99)


async def _expire(site: Site, call_id: str) -> None:
    async with Store.from_url(site.url) as store:
        await store.papers.bundle_gone(call_id)


def _next_second(site: Site, shelf: Path, *more: str) -> dict[str, Any]:
    """The next backup: names are seconds."""
    while True:
        result = site.run("make", str(shelf), "--key", "env:BACKUP_KEY", "--json", *more)
        if "of this second already" not in result.output:
            return made(result)
