"""ObjectStore: the seam to whatever keeps sealed calls beside the local disk."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class StoreTrouble(OSError):
    """The object store is away or refuses; the message says who must do what. It is worth trying again."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object as the store describes it. `sha256`: hexadecimal, of the whole; None where the store does not tell."""

    size: int
    sha256: str | None
    version: str | None = None
    keep_until: dt.datetime | None = None
    held: bool = False


class Sink(Protocol):
    """Something to write bytes to."""

    def write(self, data: bytes, /) -> int: ...


class ObjectStore(Protocol):
    """Blocking; call it from a thread. Every method raises StoreTrouble."""

    def check(self) -> None:
        """See that the place exists and can do what is wanted of it."""
        ...

    def put(self, key: str, file: Path, sha256: str, keep_until: dt.datetime | None, held: bool) -> str | None:
        """Store a file of this hash, not to be deleted before `keep_until` or while `held`; its version."""
        ...

    def find(self, key: str) -> Found | None:
        """The object of this name."""
        ...

    def read(self, key: str, target: Sink) -> bool:
        """Write the object's bytes to `target`; False: there is no object of this name."""
        ...

    def hold(self, key: str, version: str | None, on: bool) -> None:
        """Put the object's legal hold on or lift it."""
        ...

    def keep(self, key: str, version: str | None, until: dt.datetime) -> None:
        """Move the time before which the object can't be deleted, to a later one."""
        ...

    def delete(self, key: str) -> None:
        """Delete the object in all its versions."""
        ...


class Hashing:
    """A file to write to that keeps only size and hash, and passes the bytes on where it is given a `target`."""

    def __init__(self, target: Sink | None = None) -> None:
        self.size, self._digest, self._target = 0, hashlib.sha256(), target

    def write(self, data: bytes, /) -> int:
        self.size += len(data)
        self._digest.update(data)
        return self._target.write(data) if self._target is not None else len(data)

    @property
    def sha256(self) -> str:
        """Of what was written so far, hexadecimal."""
        return self._digest.hexdigest()


def size_and_sha256(path: Path) -> tuple[int, str]:
    """Of a file. OSError."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest
