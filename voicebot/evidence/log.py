"""The log: an append-only Merkle tree (RFC 6962) of all sealed calls of an installation, as plain files.

    levels/0      32 bytes per leaf; levels/k: the roots of whole subtrees of 2**k leaves, made again when lost
    head.json     the last signed head;  heads.jsonl: those that were given to somebody else
    tokens/       what time-stamp authorities and other witnesses said about a head

Several processes write under one lock. A leaf is on the disk before `append` returns.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from voicebot.evidence.merkle import HASH_BYTES, leaf_hash, node_hash

EMPTY_ROOT = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


class Log:
    """Leaves by number. `folder` is made on first use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def size(self) -> int:
        """How many leaves the log holds."""
        return self._count(0)

    def append(self, data: bytes) -> int:
        """Add a leaf that holds `data`; its number. OSError: the disk refuses, and nothing was added."""
        with self._locked():
            self._mend()
            return self._add(leaf_hash(data))

    def append_once(self, data: bytes) -> int:
        """As `append`, but a leaf that is there already is kept as it is. Reads all leaves: for recovery."""
        leaf = leaf_hash(data)
        with self._locked():
            self._mend()
            found = self.find(leaf)
            return self._add(leaf) if found is None else found

    def find(self, leaf: bytes) -> int | None:
        """The number of the first leaf with this hash."""
        data = self._level(0).read_bytes() if self.size else b""
        at = data.find(leaf)
        while at % HASH_BYTES and at >= 0:
            at = data.find(leaf, at + 1)
        return at // HASH_BYTES if at >= 0 else None

    def leaf(self, index: int) -> bytes:
        """The hash of a leaf. IndexError: there is none of this number."""
        return self._read(0, index)

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves, of all when None. IndexError: there are fewer."""
        size = self.size if size is None else size
        return self._subtree(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The path that proves leaf `index` in the tree of `size` leaves. IndexError: there are fewer."""
        if not 0 <= index < size:
            raise IndexError(f"leaf {index} is not among the first {size}")
        return self._path(index, 0, size)

    def consistency(self, first: int, second: int) -> list[bytes]:
        """The path that proves that the tree of `second` leaves goes on from that of `first` (RFC 6962 2.1.2)."""
        if not 0 <= first <= second:
            raise IndexError(f"{second} leaves do not go on from {first}")
        return self._proof(first, 0, second, whole=True) if 0 < first < second else []

    def head(self) -> dict[str, Any] | None:
        """The last signed head, None before the first."""
        path = self.folder / "head.json"
        return json.loads(path.read_bytes()) if path.exists() else None

    def write_head(self, head: bytes) -> None:
        """Put a signed head in place of the last one, at once, unless that is of a longer log."""
        with self._locked():
            last = self.head()
            if last is None or last["head"]["size"] <= json.loads(head)["head"]["size"]:
                replace(self.folder / "head.json", head)

    def give(self, head: bytes) -> None:
        """Keep a head that is about to be given to somebody else."""
        with self._locked(), (self.folder / "heads.jsonl").open("ab") as file:
            file.write(head + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def given(self) -> list[dict[str, Any]]:
        """Heads that were given away, oldest first; a torn last line is left out."""
        path = self.folder / "heads.jsonl"
        return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]] if path.exists() else []

    # --- the tree ------------------------------------------------------------------------------------------

    def _subtree(self, start: int, end: int) -> bytes:
        size = end - start
        if size & (size - 1) == 0 and start % size == 0:
            return self._read(size.bit_length() - 1, start // size)
        middle = start + _split(size)
        return node_hash(self._subtree(start, middle), self._subtree(middle, end))

    def _path(self, index: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        middle = start + _split(end - start)
        if index < middle:
            return [*self._path(index, start, middle), self._subtree(middle, end)]
        return [*self._path(index, middle, end), self._subtree(start, middle)]

    def _proof(self, first: int, start: int, end: int, whole: bool) -> list[bytes]:
        if first == end:
            return [] if whole else [self._subtree(start, end)]
        middle = start + _split(end - start)
        if first <= middle:
            return [*self._proof(first, start, middle, whole), self._subtree(middle, end)]
        return [*self._proof(first, middle, end, False), self._subtree(start, middle)]

    # --- the files -----------------------------------------------------------------------------------------

    def _level(self, level: int) -> Path:
        return self.folder / "levels" / str(level)

    def _count(self, level: int) -> int:
        try:
            return self._level(level).stat().st_size // HASH_BYTES
        except FileNotFoundError:
            return 0

    def _read(self, level: int, index: int) -> bytes:
        """A node; one that its writer has not come to yet is reckoned from those below it."""
        try:
            with self._level(level).open("rb") as file:
                file.seek(index * HASH_BYTES)
                found = file.read(HASH_BYTES)
        except FileNotFoundError:
            found = b""
        if len(found) == HASH_BYTES:
            return found
        if level == 0:
            raise IndexError(f"the log holds no leaf {index}")
        return node_hash(self._read(level - 1, 2 * index), self._read(level - 1, 2 * index + 1))

    def _add(self, leaf: bytes) -> int:
        level = 0
        number = index = self._count(0)
        self._write(0, leaf, sync=True)
        while number & 1:
            leaf = node_hash(self._read(level, number - 1), leaf)
            level, number = level + 1, number >> 1
            self._write(level, leaf)
        return index

    def _write(self, level: int, nodes: bytes, sync: bool = False) -> None:
        with self._level(level).open("ab", buffering=0) as file:
            file.write(nodes)
            if sync:
                os.fsync(file.fileno())

    def _mend(self) -> None:
        """What a killed process left half done: torn hashes go, missing inner nodes are made again."""
        level, wanted = 0, self._count(0)
        while wanted or self._level(level).exists():
            have = min(self._count(level), wanted)
            if self._level(level).exists() and self._level(level).stat().st_size != have * HASH_BYTES:
                os.truncate(self._level(level), have * HASH_BYTES)
            if have < wanted:
                self._write(level, self._joined(level - 1, have, wanted))
            level, wanted = level + 1, wanted // 2

    def _joined(self, below: int, first: int, last: int) -> bytes:
        """Nodes `first` to `last` (not included) of the level above `below`, all at once."""
        width = 2 * HASH_BYTES
        with self._level(below).open("rb") as file:
            file.seek(first * width)
            pairs = file.read((last - first) * width)
        twos = (pairs[at : at + width] for at in range(0, len(pairs), width))
        return b"".join(node_hash(two[:HASH_BYTES], two[HASH_BYTES:]) for two in twos)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody adds to the log or its heads while it is held, in any process: for whoever copies its files."""
        with self._locked():
            yield

    @contextmanager
    def _locked(self) -> Iterator[None]:
        (self.folder / "levels").mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def replace(path: Path, data: bytes) -> None:
    """Write a file so that whoever reads it, even after a crash, finds the old or the new, whole."""
    draft = path.with_name(f"{path.name}.{os.urandom(6).hex()}.part")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
