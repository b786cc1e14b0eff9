"""Restoring: everything is checked before anything is written, and looked at again when it is back."""

from __future__ import annotations

import datetime as dt
import io
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voicebot.backup.manifest import (
    DUMP,
    HOUSE,
    KEYS,
    BackupDamaged,
    KeptRecording,
    Manifest,
    check_files,
    hashed,
    read_manifest,
    recordings_of,
)
from voicebot.backup.settling import settle
from voicebot.backup.shelf import Shelf
from voicebot.evidence.signer import LOG_FOLDER, Signer
from voicebot.evidence.vault import MasterKey, unlocking
from voicebot.evidence.verify import verify_bundle
from voicebot.store.dumping import counts, is_empty, restore_dump
from voicebot.store.migrate import migrate, newest
from voicebot.store.store import Store

_IN_THE_WAY = ("recordings", "keys", LOG_FOLDER)


class NotEmpty(ValueError):
    """There is an installation already, and a restore overwrites nothing; the message says where."""


@dataclass(slots=True)
class Restored:
    """What came back, and `failures`, which is empty when all of it is as it was."""

    manifest: Manifest
    recordings: int = 0
    in_store: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    calmed: Mapping[str, int] = field(default_factory=dict)
    log_size: int = 0
    operations: int = 0
    failures: list[str] = field(default_factory=list)


def check_backup(shelf: Shelf, name: str | None = None) -> Manifest:
    """Read a backup and all of its recordings, and see that every byte is as it was written. BackupDamaged."""
    folder = shelf.place(name or shelf.newest())
    manifest = read_manifest(folder)
    check_files(folder, manifest)
    for one in _here(folder):
        if hashed(shelf.pool / one.bundle) != {"size": one.size, "sha256": one.sha256}:
            raise BackupDamaged(f"{shelf.pool / one.bundle} is not as it was copied; take it from another copy of "
                                "this folder, or delete it and make another backup")  # fmt: skip
    return manifest


def check_key(shelf: Shelf, manifest: Manifest, master: MasterKey) -> None:
    """VaultLocked unless this key opens the backup."""
    with (shelf.place(manifest.name) / DUMP).open("rb") as file:
        next(unlocking(file, master))


def refuse_to_overwrite(home: Path) -> None:
    """NotEmpty unless an installation can be restored to `home`."""
    for name in _IN_THE_WAY:
        if (home / name).exists() and any((home / name).rglob("*")):
            raise NotEmpty(f"{home / name} is not empty: name another folder by VOICEBOT_HOME, or move this one away")
    if (home / "postgres" / "PG_VERSION").exists():
        raise NotEmpty(f"{home / 'postgres'} holds a database: name another folder by VOICEBOT_HOME, or move it away")


def restore_files(shelf: Shelf, manifest: Manifest, home: Path, master: MasterKey) -> None:
    """Keys, log, rules, letters and recordings to an empty home. BackupDamaged, VaultLocked, OSError."""
    folder = shelf.place(manifest.name)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in (KEYS, HOUSE):
        with (folder / name).open("rb") as file:
            pieces = _Stream(unlocking(file, master))
            with tarfile.open(fileobj=pieces, mode="r|") as tar:
                tar.extractall(home, filter="data")
    (home / "keys").chmod(0o700)
    for one in _here(folder):
        target = home / "recordings" / one.bundle
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(shelf.pool / one.bundle, target)


def restore_database(shelf: Shelf, manifest: Manifest, url: str, master: MasterKey) -> None:
    """The dump to an empty database, brought to this version's tables. NotEmpty, BackupDamaged, DumpFailed."""
    if manifest.schema > newest():
        raise BackupDamaged(f"the backup was made by a newer version ({manifest.software}, tables of "
                            f"{manifest.schema}): install that version or a newer one")  # fmt: skip
    if not is_empty(url):
        raise NotEmpty("the database has tables already: name an empty one by VOICEBOT_DATABASE_URL")
    with (shelf.place(manifest.name) / DUMP).open("rb") as file:
        restore_dump(url, unlocking(file, master))
    migrate(url)


async def look_at(
    shelf: Shelf, manifest: Manifest, home: Path, url: str, by: str, now: dt.datetime
) -> Restored:
    """Verify what was restored, make it wait for a person, and write down that it was restored."""
    found = Restored(manifest, counts=counts(url))
    found.failures += [
        f"{name}: {found.counts.get(name)} rows came back of {wanted}"
        for name, wanted in manifest.counts.items()
        if found.counts.get(name) != wanted
    ]
    for one in recordings_of(shelf.place(manifest.name)):
        found.failures += _look_at_recording(found, home, one)
    why = f"恢复自 {manifest.name} 的备份；请核对其后的通话、付款与信息，再恢复外呼"
    settled = await settle(url, Signer.load_or_create(home / "keys"), by, now, why)
    found.failures += settled.failures
    found.calmed, found.log_size, found.operations = settled.calmed, settled.log_size, settled.operations
    async with Store.from_url(url) as store:
        detail = {"machine": manifest.machine}
        await store.operations.note(by, "cli", "restored", f"backup:{manifest.name}", now, detail)
    return found


def _look_at_recording(found: Restored, home: Path, one: KeptRecording) -> list[str]:
    if one.where == "missing":
        return [f"{one.bundle}: was not in the backup; it lay on the disk of {one.worker or 'an unknown worker'}"]
    if one.where == "store":
        found.in_store += 1
        return []
    found.recordings += 1
    verdict = verify_bundle(home / "recordings" / one.bundle)
    return [f"{one.bundle}: {code}: {what}" for code, what in verdict.failures]


def _here(folder: Path) -> Iterator[KeptRecording]:
    for one in recordings_of(folder):
        if one.where == "here":
            if ".." in Path(one.bundle).parts or Path(one.bundle).is_absolute():
                raise BackupDamaged(f"{folder}: {one.bundle} lies outside; this is no backup of ours")
            yield one


class _Stream(io.RawIOBase):
    """Pieces as a file that tarfile reads from its beginning to its end."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, bytearray()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._rest) < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._rest += piece
        found = bytes(self._rest if size < 0 else self._rest[:size])
        del self._rest[: len(found)]
        return found
