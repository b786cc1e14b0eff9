"""Shelf: a folder with backups: each moment below backups/, and one pool of recordings that all of them share."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

from voicebot.backup.manifest import BackupDamaged, Manifest, read_manifest, recordings_of

BACKUPS, POOL, PART = "backups", "recordings", ".part"


class Shelf:
    """The folder that an operator names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def pool(self) -> Path:
        """The recordings."""
        return self.folder / POOL

    def place(self, name: str) -> Path:
        """Where the backup of this name lies."""
        return self.folder / BACKUPS / name

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else makes a backup here meanwhile. BackupDamaged: somebody does."""
        (self.folder / BACKUPS).mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / "lock").open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise BackupDamaged(f"another backup is being made in {self.folder}: wait for its end") from error
            yield

    def names(self) -> list[str]:
        """The backups that were finished, oldest first."""
        found = (self.folder / BACKUPS).glob("*")
        return sorted(path.name for path in found if path.is_dir() and path.suffix != PART)

    def newest(self) -> str:
        """The last one. BackupDamaged: there is none."""
        names = self.names()
        if not names:
            raise BackupDamaged(f"{self.folder} holds no backup: give the folder of voicebot backup make")
        return names[-1]

    def manifests(self) -> list[Manifest]:
        """All of them, oldest first."""
        return [read_manifest(self.place(name)) for name in self.names()]

    def tidy(self) -> None:
        """Remove what a killed process left."""
        for path in (self.folder / BACKUPS).glob(f"*{PART}"):
            shutil.rmtree(path)

    def thin_out(self, keep: int) -> tuple[int, int]:
        """Delete all but the newest `keep` backups, and recordings that none of those needs; how many of each."""
        old = self.names()[:-keep]
        for name in old:
            shutil.rmtree(self.place(name))
        needed = {one.bundle for name in self.names() for one in recordings_of(self.place(name))}
        gone = 0
        for path in self.pool.glob("*/*/*/*/*"):
            if path.relative_to(self.pool).as_posix() not in needed:
                path.unlink()
                gone += 1
                with contextlib.suppress(OSError):
                    path.parent.rmdir()
        return len(old), gone
