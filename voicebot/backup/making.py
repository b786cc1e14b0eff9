"""Making: a moment of the database first, then every recording that it knows, the keys and the log."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import os
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from typing_extensions import Buffer

from voicebot import __version__
from voicebot.backup.manifest import (
    DUMP,
    HOUSE,
    KEYS,
    RECORDINGS,
    BackupDamaged,
    KeptRecording,
    Manifest,
    hashed,
    recordings_of,
    write_manifest,
)
from voicebot.backup.shelf import PART, Shelf
from voicebot.evidence.depot.locating import fetch
from voicebot.evidence.depot.objects import Hashing, ObjectStore
from voicebot.evidence.signer import LOG_FOLDER, Signer
from voicebot.evidence.spelling import canonical
from voicebot.evidence.vault import Locking, MasterKey
from voicebot.store.dumping import SealedCall, Snapshot

LEFT_OUT = frozenset({"recordings", "keys", "postgres", "models", "prompts", "figures", "fetched", LOG_FOLDER,
                      "installation"})  # fmt: skip
"""What of VOICEBOT_HOME has a place of its own in a backup, can be made again, or belongs to this copy alone."""
_PASSING = (".lock", ".sock", ".part", ".pid")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class House:
    """What is backed up: an installation's home, database and, where recordings lie there too, object store."""

    home: Path
    url: str
    signer: Signer
    master: MasterKey
    machine: str
    objects: ObjectStore | None = None

    @property
    def recordings(self) -> Path:
        """Sealed calls on this disk."""
        return self.home / "recordings"


def make_backup(house: House, shelf: Shelf, now: dt.datetime, *, fetch_all: bool = False) -> Manifest:
    """Make a backup on `shelf`; recordings that lie there already are not copied again.

    All recordings that the database knew at its moment are in it: those only in the object store as names and hashes,
    unless `fetch_all`. BackupDamaged, DumpFailed, OSError. Blocking.
    """
    name = now.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    with shelf.held():
        shelf.tidy()
        before = {one.bundle: one for one in recordings_of(shelf.place(shelf.newest()))} if shelf.names() else {}
        if shelf.place(name).exists():
            raise BackupDamaged(f"there is a backup of this second already: {shelf.place(name)}")
        draft = shelf.place(name + PART)
        draft.mkdir(mode=0o700)
        with Snapshot.take(house.url) as snapshot:
            with _locked(draft / DUMP, "backup:database", house.master) as file:
                tool = snapshot.dump(file)
            tally = _copy_all(house, shelf, snapshot, before, draft / RECORDINGS, fetch_all)
            operations = snapshot.operations()
            _write_tars(house, draft, operations[0])
            manifest = Manifest(
                name, now, __version__, snapshot.schema, snapshot.server, tool, house.master.name, house.machine,
                house.signer.public.hex(), {one: hashed(draft / one) for one in (DUMP, KEYS, HOUSE, RECORDINGS)},
                snapshot.counts(), dict(tally.counted), tally.size, _log_state(house.signer),
                {"position": operations[0], "sha256": operations[1]}, snapshot.running(),
            )  # fmt: skip
        write_manifest(draft, manifest, house.signer)
        draft.rename(shelf.place(name))
    return manifest


@dataclass(slots=True)
class _Tally:
    counted: Counter[str]
    size: int = 0


def _copy_all(
    house: House, shelf: Shelf, snapshot: Snapshot, before: Mapping[str, KeptRecording], listed: Path, fetch_all: bool
) -> _Tally:
    tally = _Tally(Counter({"here": 0, "copied": 0, "store": 0, "missing": 0}))
    with listed.open("wb") as file:
        for call in snapshot.sealed():
            kept, copied = _copy(house, shelf.pool, call, before.get(call.bundle), fetch_all)
            if kept is None:
                continue
            file.write(canonical(asdict(kept)) + b"\n")
            tally.counted[kept.where] += 1
            tally.counted["copied"] += copied
            tally.size += kept.size if kept.where == "here" else 0
    return tally


def _copy(
    house: House, pool: Path, call: SealedCall, before: KeptRecording | None, fetch_all: bool
) -> tuple[KeptRecording | None, bool]:
    """One recording into the pool, and whether it had to be copied; None: retention took it meanwhile."""
    source, target = house.recordings / call.bundle, pool / call.bundle
    source = source / f"{source.name}.zip" if source.is_dir() else source
    if before is not None and before.where == "here" and _is_the_same(source, target, before.size):
        return before, False
    if not source.is_file() and call.key and fetch_all and house.objects is not None:
        source = fetch(house.objects, house.home / "fetched", call.bundle) or source
    if source.is_file():
        size, sha256 = _copy_file(source, target)
        return KeptRecording(call.bundle, size, sha256, "here", call.worker), True
    if call.key:
        return KeptRecording(call.bundle, call.size or 0, call.sha256 or "", "store", call.worker), False
    if (source.parent / "deleted.json").exists():
        return None, False
    return KeptRecording(call.bundle, 0, "", "missing", call.worker), False


def _is_the_same(source: Path, target: Path, size: int) -> bool:
    """A sealed call never changes: what has its size in the pool is it. `check` reads the pool whole."""
    if not target.is_file() or target.stat().st_size != size:
        return False
    return not source.is_file() or source.stat().st_size == size


def _copy_file(source: Path, target: Path) -> tuple[int, str]:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = target.with_name(target.name + PART)
    with source.open("rb") as file, draft.open("wb") as copy:
        whole = Hashing(copy)
        while chunk := file.read(_CHUNK):
            whole.write(chunk)
        copy.flush()
        os.fsync(copy.fileno())
    draft.replace(target)
    return whole.size, whole.sha256


def _write_tars(house: House, draft: Path, operations: int) -> None:
    """Keys and log are taken together, while nobody adds to the log: later than all recordings of the moment."""
    with house.signer.log.held():
        with _tar(draft / KEYS, "backup:keys", house.master) as tar:
            tar.add(house.home / "keys", "keys")
        with _tar(draft / HOUSE, "backup:house", house.master) as tar:
            for path in sorted(house.home.iterdir()):
                if path.name not in LEFT_OUT and path.suffix not in _PASSING and (path.is_file() or path.is_dir()):
                    tar.add(path, path.name)
            _add_log(tar, house.home / LOG_FOLDER, operations)


def _add_log(tar: tarfile.TarFile, folder: Path, operations: int) -> None:
    """The log, without anchors of operations that the database did not have yet at its moment."""
    for path in sorted(folder.rglob("*")) if folder.exists() else []:
        name = f"{LOG_FOLDER}/{path.relative_to(folder).as_posix()}"
        if path.name == "operations.jsonl":
            lines = [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
            body = b"".join(line for line in lines if json.loads(line)["operations"] <= operations)
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(body), 0o600
            tar.addfile(member, io.BytesIO(body))
        elif path.is_file() and path.name != "lock" and path.suffix not in _PASSING:
            tar.add(path, name)


@contextlib.contextmanager
def _locked(path: Path, subject: str, master: MasterKey) -> Iterator[Locking]:
    """A file that only the master key opens."""
    with path.open("wb") as file:
        locking = Locking(file, subject, master)
        yield locking
        locking.finish()
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _tar(path: Path, subject: str, master: MasterKey) -> Iterator[tarfile.TarFile]:
    with _locked(path, subject, master) as file, tarfile.open(fileobj=_Target(file), mode="w|") as tar:
        yield tar


class _Target(io.RawIOBase):
    """What tarfile writes to."""

    def __init__(self, target: Locking) -> None:
        self._target = target

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        body = bytes(data)
        self._target.write(body)
        return len(body)


def _log_state(signer: Signer) -> dict[str, object]:
    log = signer.fresh().log
    size = log.size
    return {"origin": signer.origin, "size": size, "root": log.root(size).hex()}
