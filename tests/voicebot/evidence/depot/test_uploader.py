"""Uploads reach the store whole, once, and in spite of everything; what was uploaded may leave the disk."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.voicebot.evidence.conftest import START
from voicebot.evidence.depot.locating import fetch
from voicebot.evidence.depot.objects import ObjectStore, Sink, StoreTrouble
from voicebot.evidence.depot.protection import Protection
from voicebot.evidence.depot.sweeping import sweep
from voicebot.evidence.depot.uploader import Uploader
from voicebot.evidence.retention import delete_expired, years_on
from voicebot.evidence.verify import verify_bundle

from .conftest import Bucket, House, bucket_settings

ENDED = START + dt.timedelta(minutes=1)


def uploader(house: House, objects: ObjectStore, workers: tuple[str, ...] = ("here-0",), **options: Any) -> Uploader:
    return Uploader(house.store, objects, house.recordings, workers, house.clock, name=workers[0], **options)


async def test_a_sealed_call_is_uploaded_once_locked_and_verified(house: House, bucket: Bucket) -> None:
    path = await house.call("call-1", case=1)
    assert await uploader(house, bucket.objects, read_back=1.0).round() == 1
    assert bucket.keys() == [f"calls/{path.relative_to(house.recordings)}"]
    told = bucket.client.head_object(Bucket=bucket.name, Key=bucket.keys()[0])
    assert told["ObjectLockMode"] == "GOVERNANCE"
    assert told["ObjectLockRetainUntilDate"] == years_on(ENDED, 5)
    assert await uploader(house, bucket.objects).round() == 0
    assert (bucket.versions(), path.exists()) == (1, True), "nobody said that the local copy may go"
    figures = await house.store.uploads.figures()
    assert (figures.waiting, figures.verified, figures.size) == (0, 1, path.stat().st_size)


async def test_what_an_earlier_life_uploaded_is_not_sent_again(house: House, bucket: Bucket) -> None:
    """Killed between the upload and writing it down."""
    path = await house.call("call-1")
    await house.store.uploads.queue(house.clock.now())
    (taken,) = await house.store.uploads.take("here-0", ["here-0"], house.clock.now())
    uploader(house, bucket.objects)._place(taken)
    assert await uploader(house, bucket.objects).round() == 0, "its lease still runs"
    again = uploader(house, bucket.objects)
    await again._begin(asyncio.Event())
    assert await again.round() == 1
    assert bucket.versions() == 1
    assert (await house.store.uploads.placed("call-1")).size == path.stat().st_size  # type: ignore[union-attr]


class Flaky:
    """A store whose answers go wrong: a proxy in front of a real one."""

    def __init__(self, real: ObjectStore, puts: int = 0, cut: bool = False) -> None:
        self._real, self._puts, self._cut = real, puts, cut

    def put(self, key: str, file: Path, *rest: Any) -> str | None:
        if self._puts:
            self._puts -= 1
            raise StoreTrouble("away")
        return self._real.put(key, file, *rest)

    def read(self, key: str, target: Sink) -> bool:
        if not self._cut:
            return self._real.read(key, target)
        target.write(b"something else")
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


async def test_a_store_that_is_away_is_tried_again_with_growing_waits(house: House, bucket: Bucket) -> None:
    await house.call("call-1")
    sender = uploader(house, Flaky(bucket.objects, puts=3))
    waits = []
    for _ in range(3):
        assert await sender.round() == 0
        figures = await house.store.uploads.figures()
        assert (figures.failing, figures.error) == (1, "away")
        waited = 0
        while not await house.store.uploads.strangers([], house.clock.now()):
            house.clock.advance(dt.timedelta(seconds=1))
            waited += 1
        waits.append(waited)
    assert waits == [5, 10, 20]
    assert await sender.round() == 1
    assert (await house.store.uploads.figures()).error == ""


async def test_bytes_that_come_back_changed_are_no_upload(house: House, bucket: Bucket, tmp_path: Path) -> None:
    await house.call("call-1")
    off = bucket_settings(bucket.name, bucket.settings.object_store_endpoint or "", tmp_path, object_lock="off")
    from voicebot.evidence.depot.locating import open_objects

    objects = open_objects(off)
    assert objects is not None
    assert await uploader(house, Flaky(objects, cut=True), read_back=1.0, keep_local=dt.timedelta()).round() == 0
    assert "other bytes" in (await house.store.uploads.figures()).error
    assert await house.store.uploads.placed("call-1") is None
    assert (await house.store.uploads.figures()).removed == 0


async def test_a_worker_s_disk_may_vanish_after_the_upload(house: House, bucket: Bucket, tmp_path: Path) -> None:
    bundles = [await house.call(f"call-{n}") for n in range(3)]
    await uploader(house, bucket.objects).round()
    shutil.rmtree(house.recordings)
    for bundle in bundles:
        copy = fetch(bucket.objects, tmp_path / "elsewhere", str(bundle.relative_to(house.recordings)))
        assert copy is not None
        assert verify_bundle(copy).valid


async def test_local_copies_go_when_told_so_and_only_when_the_store_has_them(house: House, bucket: Bucket) -> None:
    kept, gone = await house.call("kept"), await house.call("gone")
    week = dt.timedelta(days=7)
    await uploader(house, bucket.objects, keep_local=week).round()
    assert kept.exists()
    assert gone.exists()
    house.clock.advance(week + dt.timedelta(seconds=1))
    key = f"calls/{kept.relative_to(house.recordings)}"
    for one in bucket.client.list_object_versions(Bucket=bucket.name, Prefix=key)["Versions"]:
        bucket.client.delete_object(Bucket=bucket.name, Key=key, VersionId=one["VersionId"],
                                    BypassGovernanceRetention=True)  # fmt: skip
    await uploader(house, bucket.objects, keep_local=week).round()
    assert (kept.exists(), gone.exists()) == (True, False)
    assert (await house.store.uploads.figures()).removed == 1
    lost = await house.store.uploads.figures()
    assert (lost.waiting, lost.error) == (1, "the object store does not hold it any more")
    assert await uploader(house, bucket.objects, keep_local=week).round() == 1, "and what was lost is sent again"
    assert (bucket.keys().count(key), kept.exists()) == (1, True)


async def test_the_calls_of_a_worker_that_is_no_more_are_uploaded_by_who_has_its_disk(
    house: House, bucket: Bucket
) -> None:
    await house.call("call-1", worker="renamed-0")
    assert await uploader(house, bucket.objects, ("new-0",)).round() == 1
    elsewhere = House(house.store, house.home / "elsewhere", house.clock)
    await house.call("call-2", worker="renamed-0")
    assert await uploader(elsewhere, bucket.objects, ("far-0",)).round() == 0, "it does not lie on that disk"


async def test_holds_and_terms_reach_the_store(house: House, bucket: Bucket) -> None:
    await house.call("call-1", case=1)
    await uploader(house, bucket.objects).round()
    key, protection = bucket.keys()[0], Protection(house.store, bucket.objects, house.clock)
    number = await house.store.holds.put("C0001", "诉讼保全", "supervisor", house.clock.now())
    assert await protection.holds() == 1
    assert bucket.client.get_object_legal_hold(Bucket=bucket.name, Key=key)["LegalHold"]["Status"] == "ON"
    assert await protection.holds() == 0
    await house.store.holds.lift(number, "supervisor", house.clock.now())
    assert await protection.holds() == 1
    assert bucket.client.get_object_legal_hold(Bucket=bucket.name, Key=key)["LegalHold"]["Status"] == "OFF"
    assert await protection.terms() == 0, "the case is open: its term has not begun"
    settled = START + dt.timedelta(days=90)
    await house.store.cases.set_status("C0001", "closed", settled)
    assert await protection.terms() == 1
    placed = await house.store.uploads.placed("call-1")
    assert placed is not None
    assert placed.keep_until == years_on(settled, 5)
    assert bucket.objects.find(placed.key).keep_until == placed.keep_until  # type: ignore[union-attr]


async def test_a_call_on_hold_when_it_is_uploaded_is_held_from_the_start(house: House, bucket: Bucket) -> None:
    await house.call("call-1", case=1)
    await house.store.holds.put("C0001", "诉讼保全", "supervisor", house.clock.now())
    await uploader(house, bucket.objects).round()
    assert bucket.client.get_object_legal_hold(Bucket=bucket.name, Key=bucket.keys()[0])["LegalHold"]["Status"] == "ON"


async def test_retention_deletes_in_the_store_and_on_the_worker_s_disk(house: House, bucket: Bucket) -> None:
    path = await house.call("call-1")
    await uploader(house, bucket.objects, terms={"default": -1}).round()
    control = house.home / "control"
    house.clock.advance(dt.timedelta(days=2))
    gone = await delete_expired(house.store, control, house.clock, {"default": 0}, objects=bucket.objects)
    assert (gone, bucket.versions(), path.exists()) == (1, 0, True)
    stone = json.loads((control / path.relative_to(house.recordings)).with_name("deleted.json").read_bytes())
    assert stone["leaf"] is not None
    assert house.signer.log.leaf(stone["leaf"]["index"])
    await uploader(house, bucket.objects).round()
    assert not path.exists()
    assert json.loads((path.parent / "deleted.json").read_bytes())["by"] == "retention"
    assert (await house.store.calls.find("call-1")).bundle is None  # type: ignore[union-attr]


async def test_retention_reaches_another_machine_s_disk_without_any_store(house: House) -> None:
    path = await house.call("call-1")
    kept = await house.call("call-2", worker="elsewhere-0")
    house.clock.advance(dt.timedelta(days=2))
    assert await delete_expired(house.store, house.home / "control", house.clock, {"default": 0}) == 2
    assert path.exists()
    assert await sweep(house.store, house.recordings, ["here-0"], house.clock) == 1
    assert not path.exists()
    assert json.loads((path.parent / "deleted.json").read_bytes())["leaf"] is not None
    assert kept.exists(), "that worker's own machine deletes it"
    assert await sweep(house.store, house.recordings, ["here-0"], house.clock) == 0
    assert (await house.store.uploads.figures()).waiting == 0


async def test_what_the_store_still_locks_is_not_deleted(house: House, bucket: Bucket) -> None:
    path = await house.call("call-1")
    await uploader(house, bucket.objects).round()
    house.clock.advance(dt.timedelta(days=2))
    assert await delete_expired(house.store, house.recordings, house.clock, {"default": 0}, objects=bucket.objects) == 0
    assert path.exists()
    assert (await house.store.calls.find("call-1")).bundle is not None  # type: ignore[union-attr]
    assert bucket.versions() == 1


KILLED = """
import asyncio, sys
from pathlib import Path
from voicebot.config import load_settings
from voicebot.domain.clock import SystemClock
from voicebot.evidence.depot.locating import open_objects
from voicebot.evidence.depot.uploader import Uploader
from voicebot.store import Store

async def main():
    settings = load_settings()
    async with Store.from_url(settings.database_url) as store:
        sender = Uploader(store, open_objects(settings), settings.recordings, ["here-0"], SystemClock(), name="here-0")
        await sender.run(asyncio.Event())

asyncio.run(main())
"""


@pytest.mark.slow
async def test_an_uploader_that_is_killed_goes_on_where_it_was(
    house: House, bucket: Bucket, database_url: str, tmp_path: Path
) -> None:
    for n in range(6):
        await house.call(f"call-{n}", ticks=100)
    chosen = bucket.settings
    environment = os.environ | {
        "VOICEBOT_HOME": str(tmp_path), "VOICEBOT_DATABASE_URL": database_url,
        "VOICEBOT_OBJECT_STORE": str(chosen.object_store), "VOICEBOT_OBJECT_STORE_KEY_ID": "key",
        "VOICEBOT_OBJECT_STORE_ENDPOINT": str(chosen.object_store_endpoint), "VOICEBOT_OBJECT_STORE_SECRET": "secret",
    }  # fmt: skip
    for wanted in (2, 6):
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, env=environment)
        try:
            async with asyncio.timeout(120):
                while len(bucket.keys()) < wanted:
                    assert process.returncode is None
                    await asyncio.sleep(0.005)
                while wanted == 6 and (await house.store.uploads.figures()).verified < 6:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        finally:
            process.kill()
            await process.wait()
    assert (bucket.versions(), len(bucket.keys())) == (6, 6), "each once, though it was killed on the way"


def test_a_bucket_without_lock_is_refused_unless_told_so(s3_server: str, tmp_path: Path, bucket: Bucket) -> None:
    from voicebot.evidence.depot.locating import open_objects

    name = f"plain-{os.getpid()}"
    bucket.client.create_bucket(Bucket=name)
    locked, plain = (open_objects(bucket_settings(name, s3_server, tmp_path, object_lock=lock))
                     for lock in ("governance", "off"))  # fmt: skip
    assert locked is not None
    assert plain is not None
    plain.check()
    with pytest.raises(StoreTrouble, match="VOICEBOT_OBJECT_LOCK=off"):
        locked.check()
    missing = open_objects(bucket_settings("no-such-bucket", s3_server, tmp_path))
    assert missing is not None
    with pytest.raises(StoreTrouble, match="make the bucket"):
        missing.check()
