"""Dialling stops before the disk is full, recording is the last thing to stop; and what a call ran on is told."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from voicebot.domain.journal import Fact, FactKind
from voicebot.evidence.limitation import LimitationKind, limitation_events
from voicebot.evidence.room import RecordingRoom
from voicebot.evidence.surroundings import clock_state, surroundings

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(("free", "dial", "answer"), [(801, True, True), (799, False, True), (99, False, False)])
def test_dialling_stops_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, dial: bool, answer: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1000, 1000 - free, free))
    room = RecordingRoom(tmp_path, lambda: 800)
    assert (room.may_dial, room.may_answer) == (dial, answer)


def test_a_disk_that_is_gone_has_no_room(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    room = RecordingRoom(tmp_path / "file" / "recordings", lambda: 0)
    assert not room.may_dial and not room.may_answer


def test_the_disk_is_asked_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, clock = [], iter([0.0, 0.0, 0.5, 1.5, 1.5])
    monkeypatch.setattr(shutil, "disk_usage", lambda path: asked.append(path) or Usage(1, 0, 1))
    room = RecordingRoom(tmp_path, lambda: 0, lambda: next(clock))
    for _ in range(3):
        assert room.may_dial
    assert len(asked) == 2


def test_what_a_call_ran_on() -> None:
    told = surroundings("here-0")
    assert told["worker"] == "here-0" and len(str(told["software_sha256"])) == 64
    assert {"synchronised", "max_error_us", "monotonic_ms"} <= set(clock_state())


def _fact(kind: FactKind, ms: int, **data: object) -> Fact:
    return Fact(0, "2028-02-29T02:00:00.000+00:00", ms, kind, data)


def test_what_interrupts_the_limitation_period() -> None:
    """Only what the proved debtor was told or said; three years later, of a leap day the day before."""
    asked = {"intents": [{"id": "pay_extend", "p": 0.9}]}
    before = [_fact(FactKind.HEARD, 10, text="宽限几天"), _fact(FactKind.UNDERSTOOD, 20, **asked)]
    assert limitation_events(before) == []
    facts = [
        *before,
        _fact(FactKind.VERIFIED, 30, by="birthday"),
        _fact(FactKind.SAID, 40, text="一共应还三千元", heard_ms=500, interrupted=True),
        _fact(FactKind.SAID, 50, text="一共应还三千元", heard_ms=900, interrupted=False),
        _fact(FactKind.HEARD, 60, text="能不能晚几天"),
        _fact(FactKind.UNDERSTOOD, 70, **asked),
        _fact(FactKind.HEARD, 80, text="先还一千"),
        _fact(FactKind.UNDERSTOOD, 90, intents=[{"id": "pay_partial", "p": 0.9}]),
        _fact(FactKind.PROMISED, 100, date="2028-03-05", amount_fen=100000),
    ]
    events = limitation_events(facts)
    assert [(one.kind, one.audio_ms, one.words) for one in events] == [
        (LimitationKind.DEMAND, 50, "一共应还三千元"),
        (LimitationKind.EXTENSION_REQUEST, 70, "能不能晚几天"),
        (LimitationKind.PART_PAYMENT, 90, "先还一千"),
        (LimitationKind.PROMISE, 100, "先还一千"),
    ]
    assert {(one.expires, one.identity) for one in events} == {("2031-02-28", "birthday")}
    assert (events[3].amount_fen, events[3].date) == (100000, "2028-03-05")
