"""Sealing: what a full disk left open is sealed as soon as there is room, and told once."""

from __future__ import annotations

import errno
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from voicebot.call.outcome import CallOutcome
from voicebot.domain.clock import SystemClock
from voicebot.domain.journal import Fact, FactKind
from voicebot.evidence import recovery
from voicebot.evidence.bundle import bundle_folder, bundle_path
from voicebot.evidence.recorder import Recorder
from voicebot.evidence.signer import Signer
from voicebot.evidence.verify import verify_bundle
from voicebot.worker.sealing import Sealing

Usage = namedtuple("Usage", "total used free")
SILENCE = bytes(320)


class Book:
    def __init__(self) -> None:
        self.found: list[str] = []
        self.late: dict[str, Path] = {}

    def recovered(self, call_id: str, facts: list[Fact], outcome: CallOutcome, bundle: Path) -> None:
        self.found.append(call_id)

    def sealed(self, call_id: str, bundle: Path) -> None:
        assert call_id not in self.late, "told once"
        self.late[call_id] = bundle


class Disk:
    """What is free on the disk of recordings, as the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = 1 << 40
        monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 40, 0, self.free))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def sealing(home: Path, book: Book, told: list[int]) -> Sealing:
    signer = Signer.load_or_create(home / "keys")
    return Sealing(home, signer, SystemClock(), book, lambda worker: worker == "w", told.append)


def cut_short(home: Path, call_id: str) -> Path:
    """The folder of a call during which the disk became full: two seconds are there, the third is not."""
    folder = bundle_folder(home, call_id, SystemClock().now())
    recorder = Recorder(folder, call_id, clock=SystemClock(), environment={"worker": "w"})
    recorder.append(FactKind.STARTED, {"call_id": call_id})
    for _ in range(100):
        recorder.tick(SILENCE, SILENCE, False)
    recorder._files._write = fails(recorder)  # type: ignore[method-assign]
    for _ in range(50):
        recorder.tick(SILENCE, SILENCE, False)
    with pytest.raises(OSError, match="No space"):
        recorder.seal(Signer.load_or_create(home / "keys"))
    return folder


def fails(recorder: Recorder):  # type: ignore[no-untyped-def]
    def write(pieces: object) -> None:
        recorder._files.failure = OSError(errno.ENOSPC, "No space left on device")

    return write


async def test_what_had_no_room_is_sealed_once_there_is_some(tmp_path: Path, disk: Disk) -> None:
    book, told = Book(), list[int]()
    mine = sealing(tmp_path, book, told)
    folders = [cut_short(tmp_path, call_id) for call_id in ("c1", "c2")]
    for folder in folders:
        mine.later(folder)
    assert told == [1] and mine.waiting == 2, "one alert tells of all"
    disk.free = 1 << 20
    before = [(folder / "journal.jsonl").read_bytes() for folder in folders]
    await mine.again()
    assert mine.waiting == 2 and [(folder / "journal.jsonl").read_bytes() for folder in folders] == before
    disk.free = 1 << 30
    await mine.again()
    assert mine.waiting == 0 and book.late == {one.name: bundle_path(one) for one in folders} and not book.found
    for folder in folders:
        report = verify_bundle(bundle_path(folder))
        assert not report.failures and not (folder / "audio.wav").exists()
    await mine.again()
    assert told == [1]


async def test_a_start_on_a_full_disk_seals_later_and_tells_the_whole_call(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    book, told = Book(), list[int]()
    folder = cut_short(tmp_path, "c1")
    mine = sealing(tmp_path, book, told)

    def full(*_: object, **__: object) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(recovery, "seal_folder", full)
        await mine.at_start()
    assert mine.waiting == 1 and told == [1]
    await mine.again()
    assert book.found == ["c1"] and not book.late, "this life knows nothing of the call yet"
    assert not verify_bundle(bundle_path(folder)).failures


async def test_what_another_worker_records_is_left_alone(tmp_path: Path, disk: Disk) -> None:
    folder = bundle_folder(tmp_path, "c1", SystemClock().now())
    Recorder(folder, "c1", clock=SystemClock(), environment={"worker": "other"})._files.close()
    mine = sealing(tmp_path, Book(), [])
    await mine.at_start()
    assert mine.waiting == 0 and not bundle_path(folder).exists()


def test_a_disk_without_room_for_the_first_line_keeps_no_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bundle_folder(tmp_path, "c1", SystemClock().now())

    def full(file: object, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("voicebot.evidence.disk._write_all", full)
        with pytest.raises(OSError, match="No space"):
            Recorder(folder, "c1", clock=SystemClock(), environment={})
    assert not folder.exists()
    Recorder(folder, "c1", clock=SystemClock(), environment={})
    with pytest.raises(FileExistsError):
        Recorder(folder, "c1", clock=SystemClock(), environment={})
    assert (folder / "chain.jsonl").exists()
