"""`voicebot backup`: make a backup of an installation, list, check and thin them out, and restore one."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicebot.cli.terminal import AsJson, Config, database_trouble, fail, print_row

if TYPE_CHECKING:
    from voicebot.backup.manifest import Manifest
    from voicebot.backup.recovering import Recovered
    from voicebot.backup.restoring import Restored
    from voicebot.config import Settings
    from voicebot.evidence.vault import MasterKey

backup = typer.Typer(no_args_is_help=True, help="Backup and restore")
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of backups, best on another machine's disk")]
Name = Annotated[str | None, typer.Argument(metavar="NAME", help="Which backup; the newest if left out")]
Key = Annotated[
    str | None,
    typer.Option("--key", help="Master key of the backup: a file, env:NAME or python:module:factory; left out: "
                 "VOICEBOT_BACKUP_KEY, or the vault's"),
]  # fmt: skip


@backup.command("make")
def make(
    folder: Folder,
    key: Key = None,
    keep: Annotated[int | None, typer.Option("--keep", min=1, help="Delete all but so many backups")] = None,
    fetch: Annotated[bool, typer.Option("--fetch", help="Also what lies only in the object store")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Back up database, recordings, keys and log, beside a running server. Recordings are copied once.

    Exit code 1: recordings are missing, which lie on the disks of other machines.
    """
    from voicebot.backup.making import House, make_backup
    from voicebot.backup.shelf import Shelf
    from voicebot.domain.clock import SystemClock
    from voicebot.evidence.depot.locating import open_objects
    from voicebot.evidence.signer import Signer
    from voicebot.store.embedded import open_database
    from voicebot.worker.names import machine_name

    with _trouble():
        settings = _settings(config)
        master = _master(settings, key)
        shelf, now = Shelf(folder.expanduser().absolute()), SystemClock().now()
        with open_database(settings.home, settings.database_url) as url:
            asyncio.run(_note(url, f"backup:{shelf.folder.name}"))
            signer = Signer.load_or_create(settings.keys)
            house = House(settings.home, url, signer, master, machine_name(settings.home), open_objects(settings))
            made = make_backup(house, shelf, now, fetch_all=fetch)
        thinned = shelf.thin_out(keep) if keep else (0, 0)
    if as_json:
        print_row(_row(made) | {"deleted": list(thinned)})
    else:
        _tell(made)
    raise typer.Exit(1 if made.recordings.get("missing") else 0)


@backup.command("list")
def list_(folder: Folder, as_json: AsJson = False) -> None:
    """The backups of a folder, oldest first."""
    from voicebot.backup.shelf import Shelf

    with _trouble():
        for manifest in Shelf(folder).manifests():
            print_row(_row(manifest)) if as_json else typer.echo(_line(manifest))


@backup.command("check")
def check(folder: Folder, name: Name = None) -> None:
    """Read a whole backup and see that every byte is as it was written. Needs no key."""
    from voicebot.backup.restoring import check_backup
    from voicebot.backup.shelf import Shelf

    with _trouble():
        typer.echo(f"✔ {_line(check_backup(Shelf(folder), name))}")


@backup.command("restore")
def restore(
    folder: Folder, name: Name = None, key: Key = None, as_json: AsJson = False, config: Config = None
) -> None:
    """Restore a backup to an empty VOICEBOT_HOME and an empty database, and verify all of it.

    Dialling stays halted, campaigns paused and waiting messages cancelled, as what happened after the backup is not
    known here. Exit code 1: something did not come back as it was.
    """
    from voicebot.backup.restoring import (
        check_backup,
        check_key,
        look_at,
        refuse_to_overwrite,
        restore_database,
        restore_files,
    )
    from voicebot.backup.shelf import Shelf
    from voicebot.domain.clock import SystemClock
    from voicebot.store.embedded import open_database

    with _trouble():
        settings = _settings(config)
        master, shelf = _master(settings, key), Shelf(folder.expanduser().absolute())
        refuse_to_overwrite(settings.home)
        manifest = check_backup(shelf, name)
        check_key(shelf, manifest, master)
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open_database(settings.home, settings.database_url) as url:
            restore_database(shelf, manifest, url, master)
            restore_files(shelf, manifest, settings.home, master)
            who, now = getpass.getuser(), SystemClock().now()
            found = asyncio.run(look_at(shelf, manifest, settings.home, url, who, now))
    _tell_restored(found, settings.home, as_json)
    raise typer.Exit(1 if found.failures else 0)


@backup.command("recovered")
def recovered(as_json: AsJson = False, config: Config = None) -> None:
    """After PostgreSQL's own tools recovered the database to an earlier moment: halt it, and compare it with the disk.

    Run it before anything is started. Dialling stays halted, campaigns paused and waiting messages cancelled. Exit
    code 1: recordings or logs are not as the database says; a log that saw more than the database is told too.
    """
    from voicebot.backup.recovering import after_recovery
    from voicebot.domain.clock import SystemClock
    from voicebot.store.embedded import open_database

    with _trouble():
        settings = _settings(config)
        with open_database(settings.home, settings.database_url) as url:
            found = asyncio.run(after_recovery(settings.home, url, getpass.getuser(), SystemClock().now()))
    _tell_recovered(found, as_json)
    raise typer.Exit(1 if found.failures else 0)


def _settings(config: Path | None) -> Settings:
    from voicebot.config import load_settings

    return load_settings(config)


def _master(settings: Settings, key: str | None) -> MasterKey:
    from voicebot.evidence.vault import load_master

    where = key or settings.backup_key or settings.vault_key
    if where is None:
        fail("a backup holds keys and personal data and is encrypted: openssl rand -hex 32 > FILE, keep FILE apart "
             "from the backup, and give --key FILE or VOICEBOT_BACKUP_KEY=FILE")  # fmt: skip
    return load_master(where)


@contextlib.contextmanager
def _trouble() -> Iterator[None]:
    """What can go wrong, told on standard error with exit code 2."""
    import psycopg

    from voicebot.backup.manifest import BackupDamaged
    from voicebot.evidence.signer import SigningKeyUnusable
    from voicebot.evidence.vault import VaultLocked
    from voicebot.store import DatabaseError, PostgresError
    from voicebot.store.dumping import DumpFailed

    try:
        yield
    except (DatabaseError, psycopg.Error) as error:
        fail(database_trouble(error))
    except (BackupDamaged, DumpFailed, VaultLocked, SigningKeyUnusable, PostgresError, ValueError, OSError) as error:
        fail(str(error))


async def _note(url: str, subject: str) -> None:
    from voicebot.domain.clock import SystemClock
    from voicebot.store.store import Store

    async with Store.from_url(url) as store:
        await store.operations.note(getpass.getuser(), "cli", "backed_up", subject, SystemClock().now())


def _row(made: Manifest) -> dict[str, Any]:
    return {
        "name": made.name, "made_at": made.made_at.isoformat(), "software": made.software, "schema": made.schema,
        "machine": made.machine, "recordings": dict(made.recordings), "bytes": made.bytes_of_recordings,
        "counts": dict(made.counts), "running": made.running, "log": dict(made.log),
    }  # fmt: skip


def _line(made: Manifest) -> str:
    told = made.recordings
    return (
        f"{made.name}  {made.counts.get('calls', 0)} 通电话，录音 {told.get('here', 0)}（对象存储另有 "
        f"{told.get('store', 0)}），{made.bytes_of_recordings / 1e6:,.1f} MB  voicebot {made.software}"
    )


def _tell(made: Manifest) -> None:
    typer.echo(_line(made))
    typer.echo(f"新复制录音 {made.recordings.get('copied', 0)}；备份时仍在进行的通话 {made.running}")
    if missing := made.recordings.get("missing"):
        typer.echo(f"{missing} recordings lie on other machines' disks: run voicebot backup make there too, on a "
                   "folder of its own, or set VOICEBOT_OBJECT_STORE", err=True)  # fmt: skip


def _tell_restored(found: Restored, home: Path, as_json: bool) -> None:
    if as_json:
        print_row({
            "name": found.manifest.name, "home": str(home), "recordings": found.recordings, "in_store": found.in_store,
            "counts": dict(found.counts), "calmed": dict(found.calmed), "log": found.log_size,
            "operations": found.operations, "failures": found.failures,
        })  # fmt: skip
        return
    typer.echo(f"已恢复到 {home}：{_line(found.manifest)}")
    typer.echo(f"核验录音 {found.recordings}，封存日志 {found.log_size} 项，操作记录 {found.operations} 条")
    typer.echo("  ".join(f"{name} {count}" for name, count in found.counts.items()))
    _tell_halted(found.calmed, found.failures, "备份")


def _tell_recovered(found: Recovered, as_json: bool) -> None:
    if as_json:
        print_row({
            "recordings": found.recordings, "elsewhere": found.elsewhere, "later": found.later,
            "calmed": dict(found.calmed), "log": found.log_size, "operations": found.operations,
            "failures": found.failures,
        })  # fmt: skip
        return
    typer.echo(f"核验录音 {found.recordings}（不在本机 {found.elsewhere}）")
    typer.echo(f"封存日志 {found.log_size} 项，操作记录 {found.operations} 条")
    for call_id in found.later:
        typer.echo(f"数据库不知道的通话：{call_id}")
    _tell_halted(found.calmed, found.failures, "该时刻")


def _tell_halted(calmed: Mapping[str, int], failures: list[str], since: str) -> None:
    typer.echo(
        f"外呼已全部暂停（活动暂停 {calmed['campaigns']}，取消待发信息 {calmed['messages']}）："
        f"核对{since}之后的通话与付款，再在“外呼”页面恢复"
    )
    for failure in failures:
        typer.echo(f"✘ {failure}", err=True)
