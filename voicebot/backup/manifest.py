"""Manifest: what a backup holds, with the hash of everything, signed by the installation that made it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from voicebot.evidence.signer import Signer, verify_signature
from voicebot.evidence.spelling import canonical

FORMAT = "voicebot-backup-1"
MANIFEST, SIGNATURE, RECORDINGS = "manifest.json", "manifest.sig", "recordings.jsonl"
DUMP, KEYS, HOUSE = "database.dump.locked", "keys.tar.locked", "house.tar.locked"


class BackupDamaged(ValueError):
    """A backup that can't be believed or read; the message says which file, and what to do."""


@dataclass(frozen=True, slots=True)
class KeptRecording:
    """A sealed call of the backup. `where`: here (in the backup), store (in the object store) or missing."""

    bundle: str
    size: int
    sha256: str
    where: str = "here"
    worker: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """`name` is when it was made, UTC; `files` are size and SHA-256 by name; `counts` rows by table.

    `recordings`: how many lie here, in the object store, nowhere. `running`: calls that had not ended.
    """

    name: str
    made_at: dt.datetime
    software: str
    schema: str
    postgres: int
    tool: str
    master: str
    machine: str
    public_key: str
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    recordings: Mapping[str, int] = field(default_factory=dict)
    bytes_of_recordings: int = 0
    log: Mapping[str, Any] = field(default_factory=dict)
    operations: Mapping[str, Any] = field(default_factory=dict)
    running: int = 0


def write_manifest(folder: Path, manifest: Manifest, signer: Signer) -> None:
    """Write it, signed."""
    told = {"format": FORMAT, **asdict(manifest), "made_at": manifest.made_at.astimezone(dt.UTC).isoformat()}
    body = canonical(told)
    (folder / MANIFEST).write_bytes(body)
    (folder / SIGNATURE).write_bytes(signer.sign(body))


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup, its signature checked. BackupDamaged for any bytes that are none."""
    try:
        body, signature = (folder / MANIFEST).read_bytes(), (folder / SIGNATURE).read_bytes()
        told = json.loads(body)
        if told.pop("format") != FORMAT:
            raise BackupDamaged(f"{folder / MANIFEST}: not a backup of this version ({FORMAT})")
        found = Manifest(**told | {"made_at": dt.datetime.fromisoformat(told["made_at"])})
        if not verify_signature(bytes.fromhex(found.public_key), body, signature):
            raise BackupDamaged(f"{folder / MANIFEST} was changed: its signature does not fit; take another backup")
    except OSError as error:
        raise BackupDamaged(f"{folder}: {error.strerror}: not a whole backup; take another one") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, BackupDamaged):
            raise
        raise BackupDamaged(f"{folder / MANIFEST} can't be read ({type(error).__name__}); take another one") from error
    return found


def check_files(folder: Path, manifest: Manifest) -> None:
    """Every file of the backup is the one that was written. BackupDamaged names the first that is not."""
    for name, wanted in manifest.files.items():
        if hashed(folder / name) != dict(wanted):
            raise BackupDamaged(f"{folder / name} is not as it was written; take another backup")


def hashed(path: Path) -> dict[str, object]:
    """Size and SHA-256 of a file; of one that is not there, size -1."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return {"size": file.tell(), "sha256": digest}
    except OSError:
        return {"size": -1, "sha256": ""}


def recordings_of(folder: Path) -> Iterator[KeptRecording]:
    """The recordings of a backup, in the order in which the calls began. BackupDamaged."""
    try:
        with (folder / RECORDINGS).open("rb") as file:
            for line in file:
                yield KeptRecording(**json.loads(line))
    except (OSError, ValueError, TypeError) as error:
        raise BackupDamaged(f"{folder / RECORDINGS} can't be read ({error}); take another backup") from error
