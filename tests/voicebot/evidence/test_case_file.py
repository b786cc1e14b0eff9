"""A case's evidence in one file, retention with holds, and the operation log's anchors."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from voicebot.domain.case import Case, Creditor, Debtor, Promise
from voicebot.domain.clock import FixedClock
from voicebot.domain.counted import CallSetting
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.operation import Action, Operation
from voicebot.domain.quality import SpeechSearch
from voicebot.domain.records import CallRecord, Number
from voicebot.evidence.bundle import bundle_folder
from voicebot.evidence.case_file import CaseMaterial, case_file
from voicebot.evidence.log_check import check_log
from voicebot.evidence.operation_check import anchor_operations, check_operations
from voicebot.evidence.retention import TOMBSTONE, delete_expired, keep_until, shipped_terms
from voicebot.evidence.signer import Signer
from voicebot.evidence.stored_zip import unzip, zip_bytes
from voicebot.evidence.verify import verify_bundle
from voicebot.quality.afterwards import Afterwards
from voicebot.reports.counting import count_call
from voicebot.store import Store
from voicebot.store.cases import NewCase
from voicebot.store.papers import Kept
from voicebot.store.schema import messages

from .conftest import START, record

CASE, NUMBER = "C0001", "+8613800000001"
DEBTOR = Debtor("D0001", "演示一", id_last4="2315", birth_mmdd="0812")
CREDITOR = Creditor("demo", "示例消费金融有限公司", "示例客户服务中心", "4000000000")
BILL = Case(CASE, DEBTOR, CREDITOR, "消费贷", 100_000, 30, dt.date(2026, 11, 24))


@pytest.fixture
async def told(store: Store, tmp_path: Path, signer: Signer) -> Path:
    """A case with a sealed call, one that was never sealed, a promise, a letter, a consent and an operation."""
    await store.cases.save([NewCase(BILL, (Number(NUMBER),))], START)
    recordings = tmp_path / "recordings"
    for call, sealed in (("one", True), ("two", False)):
        bundle = record(recordings, call).seal(signer) if sealed else bundle_folder(recordings, call, START)
        await store.calls.start(CallRecord(call, "outbound", NUMBER, START, case_id=CASE))
        where = str(bundle.relative_to(recordings))
        await store.calls.close(call, ended_at=START, disposition="callback", bundle=where)
    await store.promises.record(CASE, "one", Promise(dt.date(2026, 11, 27), 350000, confirmed=True), START)
    (tmp_path / "letters" / "2026-11").mkdir(parents=True)
    (tmp_path / "letters" / "2026-11" / "k.html").write_text("催告函")
    await _letter(store)
    await store.operations.note("mei", "reviewer", Action.LISTENED, "call:one", START)
    return recordings


async def _letter(store: Store) -> None:
    values = {
        "case_id": CASE, "kind": "demand", "to": "上海市演示路1号", "text": f"请还款 {NUMBER}", "channel": "letter",
        "state": "sent", "external_id": "2026-11/k.html sha256:x", "not_before": START, "expires_at": START,
        "created_at": START,
    }  # fmt: skip
    async with store._database.begin() as connection:
        await connection.execute(messages.insert().values(**values))


async def _material(store: Store, recordings: Path, *, masked: bool = False) -> CaseMaterial:
    papers = await store.papers.of_case(CASE)
    assert papers is not None
    done = await store.operations.about(["call:one"])
    return CaseMaterial(papers, done, recordings, recordings.parent / "letters", masked)


async def test_seven_kinds_in_one_file(store: Store, told: Path, signer: Signer, tmp_path: Path) -> None:
    path = tmp_path / "case.zip"
    path.write_bytes(case_file(await _material(store, told), signer, FixedClock(START), "mei"))
    assert verify_bundle(path).failures == ()
    members, _ = unzip(path.read_bytes())
    manifest = json.loads(members["manifest.json"])
    assert manifest["kinds"]["recording"] == ["call-one.zip"]
    assert manifest["kinds"]["demand_letter"] == ["letter-1.html", "letters.jsonl"]
    assert [one["call_id"] for one in manifest["missing"]] == ["two"]
    assert all(manifest["kinds"].values()), "no kind is without a file"
    assert json.loads(members["promises.jsonl"])["amount_fen"] == 350000
    assert json.loads(members["operations.jsonl"])["actor"] == "mei"
    assert "你好" in members["transcript-one.txt"].decode()


async def test_a_case_file_is_judged_without_us(store: Store, told: Path, signer: Signer, tmp_path: Path) -> None:
    data = case_file(await _material(store, told), signer, FixedClock(START), "mei")
    _judged_without_us(data, tmp_path / "unpacked")


def _judged_without_us(data: bytes, folder: Path) -> None:
    zipfile.ZipFile(io.BytesIO(data)).extractall(folder)
    command = [sys.executable, "-I", "-S", "verify.py", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["valid"]


async def test_whatever_is_changed_in_a_case_file_is_found(
    store: Store, told: Path, signer: Signer, tmp_path: Path
) -> None:
    members, _ = unzip(case_file(await _material(store, told), signer, FixedClock(START), "mei"))
    bundle = members["call-one.zip"]
    damages = {
        "hash_mismatch": {**members, "messages.jsonl": b""},
        "file_missing": {name: body for name, body in members.items() if name != "promises.jsonl"},
        "file_extra": {**members, "call-three.zip": bundle},
        "zip_altered": {**members, "call-one.zip": bundle[:-30] + b"x" + bundle[-29:]},
        "signature_bad": {**members, "manifest.json": members["manifest.json"].replace(b"mei", b"wei")},
    }
    for code, damaged in damages.items():
        path = tmp_path / "damaged.zip"
        path.write_bytes(zip_bytes(damaged))
        assert code in {found for found, _ in verify_bundle(path).failures}


async def test_a_masked_file_does_not_say_whom_it_is_about(store: Store, told: Path, signer: Signer) -> None:
    data = case_file(await _material(store, told, masked=True), signer, FixedClock(START), "mei")
    members, _ = unzip(data)
    assert not [name for name in members if name.endswith((".zip", ".html"))]
    for secret in ("13800000001", "演示一", "0812", "2315", "演示路"):
        assert secret.encode() not in data, secret
    assert json.loads(members["case.json"])["debtor"]["name"] == "演*"


def kept(**changes: object) -> Kept:
    one = Kept("c", CASE, "2026/c/c.zip", START, START, False, START, False)
    return dataclasses.replace(one, **changes)  # type: ignore[arg-type]


def test_the_later_of_last_call_and_settlement_counts() -> None:
    assert keep_until(kept(), 5) == START.replace(year=2031)
    later = START + dt.timedelta(days=40)
    assert keep_until(kept(settled_at=later), 5) == later.replace(year=later.year + 5)
    assert keep_until(kept(last_action=later), 5) == later.replace(year=later.year + 5)
    assert keep_until(kept(held=True), 5) is None and keep_until(kept(case_open=True), 5) is None
    leap = START.replace(year=2028, month=2, day=29)
    assert keep_until(kept(ended_at=leap), 5) == leap.replace(year=2033, month=3, day=1)
    assert shipped_terms()["CN"] == 5


async def test_deletion_leaves_the_place_in_the_log(store: Store, told: Path, signer: Signer) -> None:
    size = signer.log.size
    said = [(FactKind.HEARD, {"text": "我失业了"}), (FactKind.UNDERSTOOD, {"text": "我失业了", "slots": {"date": "x"}}),
            (FactKind.NOTE, {"text": "speech gate", "blocked": "再不还就坐牢", "rules": ["F04"]}),
            (FactKind.AGENT_HEARD, {"text": "再不还就坐牢", "start_ms": 0, "end_ms": 9})]  # fmt: skip
    facts = [Fact(90 + n, START.isoformat(), 0, kind, data) for n, (kind, data) in enumerate(said)]
    await store.facts.append("one", facts)
    await Afterwards(store, FixedClock(START)).look("one")
    counted = count_call(CallSetting("one", "outbound", START), await store.facts.of("one"))
    await store.cases.set_status(CASE, "closed", START)
    clock = FixedClock(START.replace(year=2031) - dt.timedelta(days=1))
    assert await delete_expired(store, told, clock) == 0, "not before its time"
    clock = FixedClock(dt.datetime(2040, 1, 1, tzinfo=dt.UTC))
    hold = await store.holds.put(CASE, "lawsuit", "mei", START)
    assert await delete_expired(store, told, clock) == 0, "not under a hold"
    await store.holds.lift(hold, "mei", START)
    assert await delete_expired(store, told, clock) == 2
    folder = bundle_folder(told, "one", START)
    assert [path.name for path in folder.iterdir()] == [TOMBSTONE]
    stone = json.loads((folder / TOMBSTONE).read_bytes())
    assert signer.log.leaf(stone["leaf"]["index"]).hex() == stone["leaf"]["hash"] and signer.log.size == size
    assert [one.subject for one in await store.operations.latest(2)] == ["call:two", "call:one"]
    facts = await store.facts.of("one")
    assert "失业" not in str(facts) and "坐牢" not in str(facts) and "坐牢" not in str(await store.checks.of("one"))
    assert (await store.transcripts.search(SpeechSearch(text="失业")))[1] == 0
    assert count_call(CallSetting("one", "outbound", START), facts) == counted, "the figures have changed"
    record_ = await store.calls.find("one")
    assert record_ is not None and record_.bundle is None
    assert await delete_expired(store, told, clock) == 0


async def test_the_operation_log_cannot_be_cut_or_rewritten(store: Store, tmp_path: Path) -> None:
    signer = Signer.load_or_create(tmp_path / "keys")
    for number in range(4):
        await store.operations.note("mei", "reviewer", Action.LISTENED, f"call:{number}", START)
    assert anchor_operations(signer, *await store.operations.head()) == 0
    assert anchor_operations(signer, *await store.operations.head()) is None
    entries = [one async for one in store.operations.in_order()]
    assert await _faults(entries, signer) == []
    assert await _faults(entries[:3], signer) == ["operations_cut"]
    assert await _faults([dataclasses.replace(entries[0], actor="wei"), *entries[1:]], signer) == ["operations_altered"]
    assert await _faults(_rewritten(entries), signer) == ["operations_rewritten"]
    anchors = signer.log.folder / "operations.jsonl"
    anchors.write_bytes(anchors.read_bytes().replace(b'"operations":4', b'"operations":3'))
    assert "anchor_altered" in await _faults(entries[:3], signer)


def _rewritten(entries: list[Operation]) -> list[Operation]:
    """Somebody with the database in their hands makes the whole chain anew."""
    before, made = "0" * 64, []
    for one in entries:
        one = dataclasses.replace(one, actor="wei")
        before = one.chained(before)
        made.append(dataclasses.replace(one, sha256=before))
    return made


async def _faults(entries: list[Operation], signer: Signer) -> list[str]:
    async def given():  # type: ignore[no-untyped-def]
        for one in entries:
            yield one

    return [code for code, _ in await check_operations(given(), signer)]


def test_a_log_that_was_rolled_back_or_forked_is_found(tmp_path: Path) -> None:
    signer = Signer.load_or_create(tmp_path / "keys")
    for name in ("one", "two", "three"):
        record(tmp_path, name, ticks=1).seal(signer)
    assert check_log(signer)["failures"] == []
    levels = signer.log.folder / "levels"
    leaves = (levels / "0").read_bytes()
    (levels / "0").write_bytes(leaves[:64])
    assert [one["code"] for one in check_log(signer)["failures"]] == ["log_rolled_back"]
    (levels / "0").write_bytes(leaves[:64] + bytes(32))
    assert "log_forked" in [one["code"] for one in check_log(signer)["failures"]]
    (levels / "0").write_bytes(bytes(32) + leaves[32:])
    assert "log_altered" in [one["code"] for one in check_log(signer)["failures"]]
