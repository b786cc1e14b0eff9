"""The disk's own threads: the real-time loop hands work over and never waits for a write or an fsync."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from voicebot.evidence.format import CONSULT, wav_header
from voicebot.telemetry.cpu_clock import CLOCK

SecondMaker = Callable[[], tuple[bytes, bytes, bytes]]
"""Makes a second's stereo sound, its row of the chain, and the sound of whoever was consulted (mostly none)."""

_writes = ThreadPoolExecutor(1, "evidence-write")
_syncs = ThreadPoolExecutor(1, "evidence-sync")


class CallFiles:
    """The growing files of one call; `consult.wav` begins with its first sound.

    Writes happen in the order given, in one thread for all calls.

    A failed write (disk full, folder gone) is kept in `failure`; nothing is written after it, so that the
    files stay a verifiable beginning. The chain file is locked while the call runs, see `recording_lock`.
    """

    def __init__(self, folder: Path, header_line: bytes, wav_header: bytes) -> None:
        self.failure: OSError | None = None
        self._folder = folder
        self._consult: BinaryIO | None = None
        self._audio = _create(folder / "audio.wav", wav_header)
        self._journal = _create(folder / "journal.jsonl", b"")
        self._chain = _create(folder / "chain.jsonl", b"")
        fcntl.flock(self._chain, fcntl.LOCK_EX)  # waits for a moment at most: nobody has reason to hold a new file
        _write_all(self._chain, header_line)
        self._sync: Future[None] | None = None

    def write_fact(self, line: bytes) -> None:
        _writes.submit(self._write, [(self._journal, line)])

    def write_second(self, make: SecondMaker) -> None:
        """Write what `make()` returns, hashing included, then ask for an fsync."""
        _writes.submit(self._write_second, make)

    def finish(self) -> None:
        """Wait until everything handed over is on the disk; blocks, so call it from a thread."""
        _writes.submit(lambda: None).result()
        if self._sync is not None:
            self._sync.result()
        for file in self._files():
            if not file.closed:
                os.fsync(file.fileno())

    def close(self) -> None:
        """Close the files after `finish` and give the lock up."""
        for file in self._files():
            file.close()

    def _files(self) -> list[BinaryIO]:
        return [file for file in (self._audio, self._consult, self._journal, self._chain) if file is not None]

    def _write_second(self, make: SecondMaker) -> None:
        with CLOCK.part("recorder"):
            self._write_made(*make())

    def _write_made(self, sound: bytes, row: bytes, third: bytes) -> None:
        pieces = [(self._audio, sound), (self._chain, row)]
        if third:
            pieces.insert(0, (self._third(), third))
        self._write(pieces)
        if self._sync is None or self._sync.done():
            self._sync = _syncs.submit(self._fsync)

    def _third(self) -> BinaryIO:
        if self._consult is None:
            self._consult = _create(self._folder / CONSULT, wav_header(0, 1))
        return self._consult

    def _write(self, pieces: list[tuple[BinaryIO, bytes]]) -> None:
        try:
            with CLOCK.part("recorder"):
                for file, data in pieces:
                    if self.failure is None:
                        _write_all(file, data)
        except OSError as error:
            self.failure = error

    def _fsync(self) -> None:
        try:
            with CLOCK.part("recorder"):
                for file in self._files():
                    os.fsync(file.fileno())
        except OSError as error:
            self.failure = self.failure or error


@contextmanager
def recording_lock(folder: Path) -> Iterator[bool]:
    """Hold the lock of a call's recording; False when its recorder, or a recovery, in any process holds it.

    The kernel frees it with its holder, kill -9 included (flock(2)).
    """
    with (folder / "chain.jsonl").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _create(path: Path, beginning: bytes) -> BinaryIO:
    file = path.open("xb", buffering=0)
    _write_all(file, beginning)
    return file


def _write_all(file: BinaryIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]
