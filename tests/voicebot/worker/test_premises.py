"""Premises: what is missing on our side forbids, is told, and forbids no more once it is there."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import pytest

from voicebot.config import Settings
from voicebot.domain.clock import SHANGHAI, FixedClock
from voicebot.domain.permission import CallerId, DialRequest
from voicebot.domain.script_version import SHIPPED
from voicebot.store import Store
from voicebot.worker.premises import Premises, disk_reserve_mb, free_bytes

NOON = dt.datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)
OURS = "01012345678"
ASK = DialRequest(NOON, ("CN",), "debtor", "13800000001", script="reminder")
ENTRY = CallerId(OURS, "示范公司", dt.date(2026, 1, 1), None, dt.date(2026, 6, 1))


class Alive:
    """A recorder's sign of life that the test can take away."""

    def __init__(self) -> None:
        self.at: dt.datetime | None = NOON

    def __call__(self) -> dt.datetime | None:
        return self.at


def premises(store: Store, folder: Path, alive: Alive, shown: tuple[str, ...] = (OURS, "voicebot")) -> Premises:
    (folder / "rules").mkdir(exist_ok=True)
    return Premises(
        store, FixedClock(NOON), rules=folder / "rules", recordings=folder / "recordings", shown=shown, alive_at=alive
    )


async def released(store: Store) -> None:
    await store.script_versions.ship("reminder", "id: reminder", "id: reminder", NOON, SHIPPED)


async def test_all_must_stand(store: Store, tmp_path: Path) -> None:
    alive = Alive()
    here = premises(store, tmp_path, alive)
    assert here.judge(ASK, NOON).rule == "CN-R1", "nobody has looked yet"
    await here.look()
    assert here.judge(ASK, NOON).rule == "CN-N1"
    assert any(OURS in text for text in here.lacks())
    await store.caller_ids.save(ENTRY, "tester", NOON)
    await here.look()
    assert here.judge(ASK, NOON).rule == "CN-V1", "nobody released these words"
    await released(store)
    await here.look()
    verdict = here.judge(ASK, NOON)
    assert verdict.allowed and here.lacks() == []
    assert verdict.asked is not None and verdict.asked.means is not None and verdict.asked.means.shown == (OURS,)
    alive.at = NOON - dt.timedelta(minutes=5)
    await here.look()
    refused = here.judge(ASK, NOON)
    assert (refused.rule, refused.not_before) == ("CN-R1", NOON + dt.timedelta(minutes=1))
    assert any("录音机" in text for text in here.lacks())


async def test_what_was_seen_long_ago_is_not_known(store: Store, tmp_path: Path) -> None:
    here = premises(store, tmp_path, Alive(), shown=())
    await released(store)
    await here.look()
    assert here.judge(ASK, NOON).allowed
    assert here.judge(ASK, NOON + dt.timedelta(minutes=2)).rule == "CN-R1"


async def test_an_internal_address_shows_no_number_of_ours(store: Store, tmp_path: Path) -> None:
    here = premises(store, tmp_path, Alive())
    await released(store)
    await here.look()
    inside = DialRequest(NOON, ("CN",), "debtor", "sip:debtor@192.0.2.9", script="reminder")
    assert here.judge(inside, NOON).allowed


async def test_a_rule_file_that_comes_is_read(store: Store, tmp_path: Path) -> None:
    here = premises(store, tmp_path, Alive(), shown=())
    await released(store)
    await here.look()
    before = here.judge(ASK, NOON)
    own = 'pack: OWN\nextends: CN\nversion: "1"\nrules:\n  CN-T1: {parameters: {window: ["14:00", "16:00"]}}\n'
    (tmp_path / "rules" / "cn.yaml").write_text(own)
    await here.look()
    after = here.judge(ASK, NOON)
    assert before.allowed and after.rule == "CN-T1" and after.pack_sha256 != before.pack_sha256
    (tmp_path / "rules" / "cn.yaml").write_text("pack: [")
    await here.look()
    assert here.judge(ASK, NOON).rule == "CN-V1"


async def test_the_recorder_is_waited_for(store: Store, tmp_path: Path) -> None:
    alive = Alive()
    alive.at = None
    waiting = asyncio.create_task(premises(store, tmp_path, alive).ready(asyncio.Event()))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    alive.at = NOON
    await asyncio.wait_for(waiting, 60)


def test_room_is_told_for_a_folder_that_is_yet_to_come(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "a" / "b") == pytest.approx(free_bytes(tmp_path), rel=0.2)


@pytest.mark.parametrize(("set_mb", "kept_mb"), [(0, 200), (64, 200), (512, 512)])
def test_the_disk_keeps_what_the_rulebook_wants_however_little_is_set(
    tmp_path: Path, set_mb: int, kept_mb: int
) -> None:
    """Below that every order were taken and then forbidden."""
    assert disk_reserve_mb(Settings(home=tmp_path, disk_reserve_mb=set_mb)) == kept_mb
