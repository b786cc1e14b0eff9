"""Uploader: takes sealed calls from this machine's disk to the object store, verifies them there, and clears up."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from voicebot.domain.clock import Clock
from voicebot.evidence.depot.objects import Hashing, ObjectStore, StoreTrouble, size_and_sha256
from voicebot.evidence.depot.sweeping import sweep
from voicebot.evidence.retention import shipped_terms, years_on
from voicebot.store.database import is_away
from voicebot.store.store import Store
from voicebot.store.uploads import Placed, Upload

log = structlog.get_logger(__name__)

ROUND_S = 20.0
AT_ONCE = 2
READ_BACK = 0.02
"""The share of uploads that is read back as a whole, where the store tells its own hash; else all are."""
LATELY = dt.timedelta(days=1)
LOOKED_EVERY = dt.timedelta(hours=1)
"""How often calls are looked for that were sealed long after they began, as those of a machine that was off."""
STRANGERS_EVERY = dt.timedelta(minutes=5)


class Uploader:
    """One per machine. `workers`: whose calls lie on this disk; `name`: by which it leases.

    `keep_local`: how long after its verified upload a local copy stays; None: for ever.
    """

    def __init__(
        self,
        store: Store,
        objects: ObjectStore,
        recordings: Path,
        workers: Sequence[str],
        clock: Clock,
        *,
        name: str,
        keep_local: dt.timedelta | None = None,
        read_back: float = READ_BACK,
        terms: Mapping[str, int] | None = None,
    ) -> None:
        self._store, self._objects, self._recordings, self._clock = store, objects, recordings, clock
        self._workers, self._name, self._keep_local, self._read_back = list(workers), name, keep_local, read_back
        self._terms = terms or shipped_terms()
        self._looked: dt.datetime | None = None
        self._strangers: dt.datetime | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Rounds until `stop`: when a call was closed, and every so often; a store that is away is waited for."""
        woken = asyncio.Event()
        ears = asyncio.create_task(self._listen(woken))
        try:
            await self._begin(stop)
            while not stop.is_set():
                woken.clear()
                try:
                    await self.round()
                except Exception as error:
                    if not is_away(error):
                        log.exception("a round of uploads failed, it is tried again")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(_first(stop, woken), ROUND_S)
        finally:
            ears.cancel()

    async def last_round(self, at_most_s: float) -> None:
        """Upload what is left, before the machine is switched off: its disk may not come back."""
        with contextlib.suppress(TimeoutError):
            try:
                await asyncio.wait_for(self.round(), at_most_s)
            except Exception as error:
                if isinstance(error, TimeoutError) or not is_away(error):
                    log.warning("recordings stay on this disk until the next start", error=str(error))

    async def _begin(self, stop: asyncio.Event) -> None:
        """Wait until database and object store answer; say what is wrong while they don't."""
        while not stop.is_set():
            try:
                await self._store.uploads.give_back(self._name)
                await asyncio.to_thread(self._objects.check)
                return
            except Exception as error:
                log.error("recordings can't be uploaded yet", error=str(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), ROUND_S)

    async def _listen(self, woken: asyncio.Event) -> None:
        async for _ in self._store.calls.ends():
            woken.set()

    async def round(self) -> int:
        """Queue what was sealed, upload what is due, clear up; how many were uploaded."""
        now = self._clock.now()
        if self._looked is None or now - self._looked >= LOOKED_EVERY:
            self._looked = now
            await self._store.uploads.queue(now)
        await self._store.uploads.queue(now, now - LATELY)
        done = 0
        while taken := await self._store.uploads.take(self._name, self._workers, self._clock.now()):
            done += await self._upload_all(taken)
        if self._strangers is None or now - self._strangers >= STRANGERS_EVERY:
            self._strangers = now
            done += await self._adopt()
        await sweep(self._store, self._recordings, self._workers, self._clock)
        await self._clear_up()
        return done

    async def _adopt(self) -> int:
        """Upload calls of workers that are not of this machine, where their recordings lie on its disk."""
        done, after = 0, ""
        while rows := await self._store.uploads.strangers(self._workers, self._clock.now(), after):
            here = [row.call_id for row in rows if (self._recordings / row.bundle).is_file()]
            done += await self._upload_all(await self._store.uploads.take_these(self._name, here, self._clock.now()))
            after = rows[-1].call_id
        return done

    async def _upload_all(self, taken: Sequence[Upload]) -> int:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(upload: Upload) -> bool:
            async with gate:
                return await self._upload(upload)

        return sum(await asyncio.gather(*(one(upload) for upload in taken)))

    async def _upload(self, upload: Upload) -> bool:
        try:
            placed, read_back = await asyncio.to_thread(self._place, upload)
        except OSError as error:
            log.warning("a recording can't be uploaded, trying again later", call_id=upload.call_id, error=str(error))
            await self._store.uploads.failed(upload, str(error), self._clock.now())
            return False
        await self._store.uploads.verified(placed, self._clock.now(), read_back=read_back)
        return True

    def _place(self, upload: Upload) -> tuple[Placed, bool]:
        """Upload one call unless it is there already, and see that it is there whole. OSError. Blocking."""
        path = _inside(self._recordings, upload.bundle)
        size, sha256 = size_and_sha256(path)
        until = years_on(upload.ended_at, self._terms.get(upload.jurisdiction or "", self._terms["default"]))
        found = self._objects.find(upload.bundle)
        if found is None or (found.size, found.sha256 or sha256) != (size, sha256):
            self._objects.put(upload.bundle, path, sha256, until, upload.held)
            found = self._objects.find(upload.bundle)
        if found is None or found.size != size or found.sha256 not in (None, sha256):
            raise StoreTrouble(f"{upload.bundle} is not in the object store as it was sent; it is sent again")
        read_back = found.sha256 is None or random.random() < self._read_back
        if read_back:
            self._read_whole(upload.bundle, size, sha256)
        keep_until = found.keep_until
        return Placed(upload.call_id, upload.bundle, upload.bundle, found.version, size, sha256, keep_until,
                      found.held), read_back  # fmt: skip

    def _read_whole(self, bundle: str, size: int, sha256: str) -> None:
        whole = Hashing()
        there = self._objects.read(bundle, whole)
        if not there or (whole.size, whole.sha256) != (size, sha256):
            self._objects.delete(bundle)
            raise StoreTrouble(f"{bundle} came back from the object store with other bytes; it is sent again")

    async def _clear_up(self) -> None:
        """Delete local copies that lie in the object store, when the operator wants it so."""
        now = self._clock.now()
        if self._keep_local is None:
            return
        for placed in await self._store.uploads.removable(self._workers, now - self._keep_local):
            try:
                gone = await asyncio.to_thread(self._remove, placed)
            except OSError as error:
                log.warning("a local copy can't be deleted yet", call_id=placed.call_id, error=str(error))
                continue
            if gone:
                await self._store.uploads.removed_here(placed.call_id, now)
            else:
                await self._store.uploads.lost(placed.call_id, now)

    def _remove(self, placed: Placed) -> bool:
        """Whether the local copy is gone; one that the object store does not hold as it is here stays. Blocking."""
        path = _inside(self._recordings, placed.bundle)
        if not path.exists():
            return True
        found = self._objects.find(placed.key)
        if found is None or (found.size, found.sha256 or placed.sha256) != size_and_sha256(path):
            log.error("the object store lost a recording, it is uploaded anew from here", call_id=placed.call_id)
            return False
        path.unlink()
        with suppress(OSError):  # what a recovery put aside stays beside it
            path.parent.rmdir()
        return True


def _inside(recordings: Path, bundle: str) -> Path:
    path = (recordings / bundle).resolve()
    if not path.is_relative_to(recordings.resolve()):
        raise StoreTrouble(f"{bundle} lies outside the recordings folder")
    return path


async def _first(*events: asyncio.Event) -> None:
    tasks = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
