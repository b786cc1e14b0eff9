"""Sealing: what a killed process or a full disk left unsealed is sealed at the start, and as soon as there is room."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import structlog

from voicebot.call.outcome import CallOutcome, outcome_of
from voicebot.domain.clock import Clock
from voicebot.domain.journal import Fact
from voicebot.evidence.bundle import unsealed
from voicebot.evidence.reading import read_journal
from voicebot.evidence.recovery import recover
from voicebot.evidence.signer import Signer

log = structlog.get_logger(__name__)

EVERY_S = 5.0
SPARE = 1 << 20
"""Bytes that must be free beyond what sealing writes: other calls are being recorded meanwhile."""


class SealedBook(Protocol):
    """Where it is written that a recording is sealed after all: voicebot.worker.book."""

    def recovered(self, call_id: str, facts: list[Fact], outcome: CallOutcome, bundle: Path) -> None: ...

    def sealed(self, call_id: str, bundle: Path) -> None: ...


class Sealing:
    """`mine`: whether to see to what a worker of that name recorded; None where no name can be read.

    `alarm`: told how many recordings wait, when the first of them can't be sealed.
    """

    def __init__(
        self,
        recordings: Path,
        signer: Signer,
        clock: Clock,
        book: SealedBook,
        mine: Callable[[str | None], bool],
        alarm: Callable[[int], None] = lambda waiting: None,
    ) -> None:
        self._recordings, self._signer, self._clock = recordings, signer, clock
        self._book, self._mine, self._alarm = book, mine, alarm
        self._waiting: dict[Path, bool] = {}  # True: the call ended in this life, and is in the call book

    @property
    def waiting(self) -> int:
        """Recordings that could not be sealed yet."""
        return len(self._waiting)

    def later(self, folder: Path) -> None:
        """A call of this life is over, and its recording could not be sealed."""
        self._put_off(folder, in_book=True)

    async def at_start(self) -> None:
        """Seal the calls that a killed line of this worker left open, and tell the call book."""
        for folder in await asyncio.to_thread(lambda: list(unsealed(self._recordings))):
            if self._mine(recorded_by(folder)):
                await self._try(folder, in_book=False)

    async def keep(self) -> None:
        """Seal what waits as soon as the disk has room, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.again()

    async def again(self) -> None:
        """Seal what waits, as far as there is room now."""
        for folder, in_book in list(self._waiting.items()):
            if has_room(folder):
                await self._try(folder, in_book=in_book)

    async def _try(self, folder: Path, *, in_book: bool) -> None:
        try:
            bundle = await asyncio.to_thread(recover, folder, self._signer, self._clock)
            facts = await asyncio.to_thread(read_journal, bundle) if bundle is not None else []
        except Exception:  # one recording, or a full disk, must not keep the telephone from starting
            if folder not in self._waiting:
                log.exception("a recording can't be sealed yet, see to its folder and the disk", folder=folder.name)
            self._put_off(folder, in_book=in_book)
            return
        self._waiting.pop(folder, None)
        if bundle is None:
            log.error("a recording can't be recovered", folder=folder.name)
        elif in_book:
            self._book.sealed(folder.name, bundle)
            log.warning("sealed a recording for which there was no room", call_id=folder.name)
        else:
            self._book.recovered(folder.name, facts, outcome_of(facts), bundle)
            log.warning("recovered the recording of a call that was cut", call_id=folder.name)

    def _put_off(self, folder: Path, *, in_book: bool) -> None:
        first = not self._waiting
        self._waiting.setdefault(folder, in_book)
        if first:
            self._alarm(len(self._waiting))


def has_room(folder: Path) -> bool:
    """Whether the disk takes the zip of a recording, and what a recovery sets aside, beside the recording itself."""
    try:
        size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
        return shutil.disk_usage(folder).free > 2 * size + SPARE
    except OSError:
        return False


def recorded_by(folder: Path) -> str | None:
    """Which worker recorded the folder, from the first line of its chain."""
    try:
        with (folder / "chain.jsonl").open(encoding="utf-8") as chain:
            worker = json.loads(chain.readline())["environment"]["worker"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(worker)
