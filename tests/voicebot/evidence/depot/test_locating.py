"""Whatever reads a recording reads it from the object store when it has left the disk."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.voicebot.evidence.depot.conftest import Bucket, House
from tests.voicebot.evidence.depot.test_uploader import uploader
from voicebot.console.recordings import RecordingError, find_sound, inside, peaks, samples
from voicebot.domain.clock import FixedClock
from voicebot.evidence.case_file import CaseMaterial, case_file
from voicebot.evidence.depot import locating
from voicebot.evidence.depot.locating import FETCHED, KEPT_S, fetch, forget, present
from voicebot.evidence.depot.objects import StoreTrouble
from voicebot.evidence.export import export_bundle
from voicebot.evidence.reading import read_audio, read_journal
from voicebot.evidence.verify import verify_bundle
from voicebot.reports.rollup import RollUp


@pytest.fixture
def settled_in(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """This process belongs to an installation with this bucket."""
    settings = bucket.settings
    monkeypatch.setattr(locating, "_house", lambda: (settings.recordings, bucket.objects))
    yield bucket


async def test_nothing_is_missed_when_the_disk_vanishes(house: House, settled_in: Bucket, tmp_path: Path) -> None:
    path = await house.call("call-1", case=1)
    await uploader(house, settled_in.objects).round()
    before, facts = read_audio(path), read_journal(path)
    shutil.rmtree(house.recordings)
    assert verify_bundle(path).valid
    assert (read_audio(path) == before).all()
    assert read_journal(path) == facts
    found = inside(house.recordings, str(path.relative_to(house.recordings)))
    assert peaks(*samples(find_sound(found)), 10).duration_ms == 1020
    assert export_bundle(path, house.signer, tmp_path / "given.zip").read_member("audio.wav")
    papers = await house.store.papers.of_case("C0001")
    assert papers is not None
    material = CaseMaterial(papers, (), house.recordings, tmp_path / "letters")
    assert b"call-call-1.zip" in case_file(material, house.signer, house.clock, "me")
    assert await RollUp(house.store, house.recordings, FixedClock(house.clock.now())).rebuild() == 0
    assert not house.recordings.exists(), "what was fetched is no recording of this machine"


async def test_a_fetched_copy_serves_many_readers_and_is_forgotten(house: House, settled_in: Bucket) -> None:
    path = await house.call("call-1")
    await uploader(house, settled_in.objects).round()
    path.unlink()
    copy = present(path)
    assert copy.is_relative_to(house.home / FETCHED)
    assert present(path) == copy
    old = time.time() - KEPT_S - 10
    os.utime(copy, (old, old))
    forget(house.home / FETCHED, KEPT_S)
    assert not copy.exists()
    forget(house.home / FETCHED, bundle="2026/01/01/nothing/nothing.zip")


async def test_what_is_nowhere_and_what_is_not_ours_is_not_fetched(house: House, settled_in: Bucket) -> None:
    path = await house.call("call-1")
    path.unlink()
    assert present(path) == path
    with pytest.raises(RecordingError, match="another machine"):
        inside(house.recordings, str(path.relative_to(house.recordings)))
    outside = house.home / "2026" / "call.zip"
    assert present(outside) == outside


async def test_a_damaged_copy_is_not_given_to_anybody(house: House, bucket: Bucket) -> None:
    path = await house.call("call-1")
    await uploader(house, bucket.objects).round()
    bundle = str(path.relative_to(house.recordings))
    bucket.client.put_object(Bucket=bucket.name, Key=f"calls/{bundle}", Body=b"other bytes", ChecksumAlgorithm="SHA256",
                             ChecksumSHA256="1p5omIFXgzJyMFqvIfRTyAA0boo2QNtleOJgIVVC5dQ=")  # fmt: skip
    with pytest.raises(StoreTrouble, match="damaged"):
        fetch(bucket.objects, house.home / FETCHED, bundle)
    assert not list((house.home / FETCHED).glob("**/*.part"))
    assert not list((house.home / FETCHED).glob("**/*.zip"))


async def test_a_store_that_is_away_is_told_as_such(house: House, tmp_path: Path, bucket: Bucket) -> None:
    from tests.voicebot.evidence.depot.conftest import bucket_settings
    from voicebot.evidence.depot.locating import open_objects

    away = open_objects(bucket_settings("somewhere", "http://127.0.0.1:9", tmp_path))
    assert away is not None
    with pytest.raises(StoreTrouble, match="can't be reached"):
        fetch(away, tmp_path / FETCHED, "2026/11/24/call-1/call-1.zip")
