"""The recorder: what goes in comes out, in order, chained, without waiting for the disk."""

from __future__ import annotations

import datetime as dt
import errno
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import Fact, FactKind
from voicebot.evidence import disk
from voicebot.evidence.bundle import bundle_folder, unsealed
from voicebot.evidence.content import check_fact
from voicebot.evidence.journal import JournalChain, read_facts
from voicebot.evidence.log_check import check_log
from voicebot.evidence.reading import read_audio, read_journal, read_member
from voicebot.evidence.recorder import Recorder, RecordingClosed
from voicebot.evidence.recovery import recover
from voicebot.evidence.signer import Signer, SigningKeyUnusable
from voicebot.evidence.verify import verify_bundle

from .conftest import START, record


def test_sound_comes_back_sample_for_sample(tmp_path: Path, signer: Signer) -> None:
    recorder = Recorder(tmp_path / "c", "c", clock=FixedClock(START), environment={})
    ours = np.arange(160 * 73, dtype="<i2")
    theirs = -ours
    for at in range(0, len(ours), 160):
        recorder.tick(ours[at : at + 160].tobytes(), theirs[at : at + 160].tobytes(), False)
    audio = read_audio(recorder.seal(signer))
    assert (audio[:, 0] == ours).all() and (audio[:, 1] == theirs).all()


def test_gaps_are_marked_at_their_tick(tmp_path: Path, signer: Signer) -> None:
    recorder = Recorder(tmp_path / "c", "c", clock=FixedClock(START), environment={})
    for tick in range(60):
        recorder.tick(bytes(320), bytes(320), tick in (0, 49, 53))
    rows = [json.loads(line) for line in read_member(recorder.seal(signer), "chain.jsonl").splitlines()[1:]]
    assert [int(row["gap"], 16) for row in rows] == [1 | 1 << 49, 1 << 3]
    assert [row["ticks"] for row in rows] == [50, 10]


def test_facts_are_told_and_kept_except_partial_hearing(tmp_path: Path, signer: Signer) -> None:
    recorder = Recorder(tmp_path / "c", "c", clock=FixedClock(START), environment={})
    told: list[Fact] = []
    recorder.subscribe(lambda fact: 1 // 0)
    recorder.subscribe(told.append)
    recorder.append(FactKind.ANSWERED, {})
    recorder.tick(bytes(320), bytes(320), False)
    assert recorder.append(FactKind.HEARING, {"text": "我明"}).seq == -1
    recorder.append(FactKind.HEARD, {"text": "我明天还"})
    assert [fact.kind for fact in told] == [FactKind.ANSWERED, FactKind.HEARING, FactKind.HEARD]
    assert read_journal(recorder.seal(signer)) == [told[0], told[2]]
    assert [(fact.seq, fact.ms) for fact in (told[0], told[2])] == [(0, 0), (1, 20)]


def test_sealing_twice_gives_the_same_zip_and_closes_the_journal(tmp_path: Path, signer: Signer) -> None:
    recorder = record(tmp_path)
    first = recorder.seal(signer)
    content = first.read_bytes()
    recorder.tick(bytes(320), bytes(320), False)
    with pytest.raises(RecordingClosed):
        recorder.append(FactKind.NOTE, {"text": "too late"})
    assert recorder.seal(signer) == first and first.read_bytes() == content
    assert list(first.parent.iterdir()) == [first]


def test_a_call_without_sound_is_evidence_too(tmp_path: Path, signer: Signer) -> None:
    bundle = record(tmp_path, ticks=0).seal(signer)
    assert verify_bundle(bundle).valid and read_audio(bundle).shape == (0, 2)


@pytest.mark.parametrize("ticks", [1, 49, 50, 51, 100])
def test_any_length_verifies(tmp_path: Path, signer: Signer, ticks: int) -> None:
    bundle = record(tmp_path, ticks=ticks).seal(signer)
    assert verify_bundle(bundle).valid and len(read_audio(bundle)) == ticks * 160


def test_a_running_call_can_be_read(tmp_path: Path) -> None:
    recorder = record(tmp_path, ticks=120)
    recorder._files.finish()
    recorder._files.close()
    assert [fact.kind for fact in read_journal(recorder.folder)][-1] is FactKind.ENDED
    assert len(read_audio(recorder.folder)) == 100 * 160
    assert list(unsealed(tmp_path)) == [recorder.folder]


def test_a_call_id_is_recorded_once_and_cannot_leave_its_folder(tmp_path: Path) -> None:
    record(tmp_path)
    with pytest.raises(FileExistsError):
        record(tmp_path)
    for bad in ("", "..", "a/b", "../x", "a\0", "x" * 101):
        with pytest.raises(ValueError, match="call id"):
            bundle_folder(tmp_path, bad, START)
    late = dt.datetime(2026, 11, 24, 17, 0, tzinfo=dt.UTC)
    assert bundle_folder(tmp_path, "c", late) == tmp_path / "2026/11/25/c", "the day is Shanghai's"


def test_a_full_disk_is_told_and_what_was_written_still_verifies(
    tmp_path: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(tmp_path / "c", "c", clock=FixedClock(START), environment={})
    for tick in range(150):
        if tick == 70:
            disk._writes.submit(lambda: None).result()
            monkeypatch.setattr(disk, "_write_all", _no_space)
        recorder.tick(bytes(320), bytes(320), False)
    with pytest.raises(OSError, match="No space"):
        recorder.seal(signer)
    assert recorder.failure is not None
    monkeypatch.undo()
    bundle = recover(recorder.folder, signer, FixedClock(START))
    assert bundle is not None and verify_bundle(bundle).valid and len(read_audio(bundle)) == 8000


def _no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=30, deadline=None)
@given(entries=st.lists(st.tuples(st.sampled_from(FactKind), st.dictionaries(st.text(), JSON, max_size=3))))
def test_any_fact_is_spelled_so_that_it_verifies(entries: list[tuple[FactKind, dict[str, object]]]) -> None:
    chain, head, facts, data = JournalChain(bytes(32)), bytes(32), [], b""
    for kind, told in entries:
        fact, line = chain.append(kind, told, START, 20)
        facts.append(fact)
        data += line
    lines = data.split(b"\n")[:-1]
    assert len(lines) == len(entries)
    for number, line in enumerate(lines):
        head, wrong = check_fact(line, number, head)
        assert wrong is None
    assert head == chain.head and list(read_facts(data)) == facts


def test_calls_sealed_at_once_each_get_their_place(tmp_path: Path) -> None:
    """A line that drains seals all its calls in threads of one process."""
    signer = Signer.load_or_create(tmp_path / "keys")
    recorders = [record(tmp_path, f"call-{number}", ticks=1) for number in range(24)]
    with ThreadPoolExecutor(12) as pool:
        bundles = list(pool.map(lambda recorder: recorder.seal(signer), recorders))
    assert all(verify_bundle(bundle).failures == () for bundle in bundles)
    places = [json.loads(read_member(bundle, "proof.json"))["leaf"]["index"] for bundle in bundles]
    assert sorted(places) == list(range(24)) and check_log(signer)["failures"] == []
    head = signer.log.head()
    assert head is not None and head["head"]["size"] == 24
    assert not list(signer.log.folder.glob("*.part"))


def test_one_key_per_installation(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        signers = list(pool.map(lambda _: Signer.load_or_create(tmp_path), range(8)))
    assert len({signer.public for signer in signers}) == 1
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"garbage")
    with pytest.raises(SigningKeyUnusable, match="backup"):
        Signer.load_or_create(tmp_path)
