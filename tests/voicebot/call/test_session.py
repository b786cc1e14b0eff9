"""CallSession at its edges: announcements, orders and ends that come late, limits, gaps of the recording."""

from __future__ import annotations

import asyncio

import pytest

from voicebot.call.limits import MOST_MS, MOST_WITH_PERSON_MS
from voicebot.domain.journal import FactKind
from voicebot.domain.talk import (
    Flush,
    Gone,
    HandOver,
    HangUpCall,
    MachineFound,
    Note,
    Opened,
    PickedUp,
    Played,
)
from voicebot.telephony.leg import Answered, EarlyMedia, Ended, Ringing, TrunkTried

from .bench import Bench, joined, settle


async def test_an_announcement_before_the_answer_ends_the_call(bench: Bench) -> None:
    await bench.after(Ringing(183), EarlyMedia())
    assert bench.brain.reports == [Opened(1, bench.session.facts, "inbound", False)]
    await bench.turn(3)
    assert bench.brain.frames == 3
    bench.session.obey(MachineFound(1, "announcement", "power_off"))
    await settle()
    assert bench.leg.ended is not None
    assert bench.data(FactKind.ANSWERED_BY) == [{"kind": "announcement", "cue": "power_off"}]
    assert bench.brain.reports[-1] == Gone(1)


@pytest.mark.parametrize(
    ("kind", "cue", "over"),
    [
        ("announcement", "power_off", True),
        ("tone", "busy_tone", True),
        ("fax", "fax", True),
        ("announcement", "unclear", False),
        ("announcement", "call_waiting", False),
        ("voicemail", "greeting", False),
        ("assistant", "assistant", False),
    ],
)
async def test_a_machine_that_no_talk_is_possible_with_ends_an_answered_call(
    bench: Bench, kind: str, cue: str, over: bool
) -> None:
    await bench.after(Answered())
    bench.session.obey(MachineFound(1, kind, cue))
    await settle()
    assert (bench.leg.ended is not None) is over


async def test_answered_twice_is_answered_once(bench: Bench) -> None:
    await bench.after(EarlyMedia(), Answered(), Answered())
    assert bench.kinds.count(FactKind.ANSWERED) == 1
    assert bench.brain.reports.count(PickedUp(1)) == 1


async def test_hang_up_waits_for_what_is_being_said(bench: Bench) -> None:
    await bench.after(Answered())
    bench.play("u1", 3)
    bench.session.obey(HangUpCall(1))
    await bench.turn(2)
    assert bench.leg.ended is None
    await bench.turn(2)
    assert bench.leg.ended is not None
    assert bench.data(FactKind.SAID)[0]["heard_ms"] == 60


async def test_a_flush_tells_how_much_was_heard(bench: Bench) -> None:
    await bench.after(Answered())
    bench.play("u1", 50)
    bench.play("u2", 50)
    await bench.turn(10)
    bench.session.obey(Flush(1))
    played = [report for report in bench.brain.reports if isinstance(report, Played)]
    assert played == [Played(1, "u1", 200, 1000, True), Played(1, "u2", 0, 1000, True)]
    assert await bench.turn(1) == [bytes(320)]


async def test_an_order_after_the_end_changes_nothing(bench: Bench) -> None:
    await bench.after(Answered(), Ended("remote", None, "the peer hung up"))
    facts = len(bench.facts)
    bench.play("late", 2)
    bench.session.obey(Note(1, FactKind.NOTE, {"text": "late"}))
    bench.session.obey(HandOver(1, "late", "general", ""))
    bench.session.brain_lost(600)
    await settle()
    assert len(bench.facts) == facts
    assert bench.desk.reserved == 0


async def test_every_trunk_that_was_tried_stands_in_the_journal(bench: Bench) -> None:
    await bench.after(TrunkTried("first", 503, "Service Unavailable", "second", "id-2"), Ringing(180), Answered())
    assert bench.data(FactKind.TRUNK_TRIED) == [
        {"trunk": "first", "status": 503, "reason": "Service Unavailable", "next": "second", "sip_call_id": "id-2"}
    ]
    kinds = [fact.kind for fact in bench.facts]
    assert kinds.index(FactKind.TRUNK_TRIED) < kinds.index(FactKind.RINGING) < kinds.index(FactKind.ANSWERED)


async def test_only_the_first_end_counts(bench: Bench) -> None:
    await bench.after(Answered(), Ended("remote", None, "bye"), Ended("error", 408, "again"))
    ended = {"by": "remote", "status": None, "reason": "bye", "q850": None, "sip_cause": None}
    assert bench.data(FactKind.ENDED) == [ended]


async def test_a_person_may_talk_longer_than_a_script_but_not_for_ever(bench: Bench) -> None:
    await joined(bench)
    bench.session._ticks = MOST_MS // 20 + 1
    await bench.turn(3)
    assert FactKind.ENDED not in bench.kinds, "the agent is cut off in mid-sentence"
    bench.session._ticks = MOST_WITH_PERSON_MS // 20 + 1
    await bench.turn(3)
    assert FactKind.ENDED in bench.kinds


async def test_a_script_that_never_ends_is_ended(bench: Bench) -> None:
    await bench.after(Answered())
    bench.session._ticks = MOST_MS // 20 + 1
    await bench.turn(3)
    assert FactKind.ENDED in bench.kinds


async def test_a_call_ends_when_its_hours_do(bench: Bench) -> None:
    await bench.after(Answered())
    bench.play("last words", 5)
    bench.session.hours_end()
    await bench.turn(3)
    assert FactKind.ENDED not in bench.kinds, "cut off in mid-sentence"
    await bench.turn(6)
    assert FactKind.ENDED in bench.kinds
    assert bench.data(FactKind.NOTE)[-1]["rule"] == "CN-T2"


async def test_who_is_in_danger_is_not_left_because_the_hours_are_over(bench: Bench) -> None:
    await bench.after(Answered())
    bench.session._careful = True
    bench.session.hours_end()
    await bench.turn(8)
    assert FactKind.ENDED not in bench.kinds


async def test_ticks_given_up_after_a_stall_are_gaps_of_the_recording(bench: Bench) -> None:
    await bench.after(Answered())
    await bench.turn(2)
    bench.tick += 48
    await bench.turn(1)
    assert bench.recorder.ms == 51 * 20


async def test_partial_words_are_shown_and_not_kept(bench: Bench) -> None:
    await bench.after(Answered())
    bench.session.obey(Note(1, FactKind.HEARING, {"text": "我下"}))
    assert bench.live == [{"text": "我下"}]
    assert FactKind.HEARING not in bench.kinds


async def test_what_was_heard_is_told_in_the_time_of_the_recording(bench: Bench) -> None:
    bench.leg.connect(bench.session)
    await bench.turn(10)
    await bench.after(Answered())
    bench.session.obey(Note(1, FactKind.HEARD, {"text": "是我", "start_ms": 100, "end_ms": 500}))
    assert bench.data(FactKind.HEARD) == [{"text": "是我", "start_ms": 300, "end_ms": 700}]


async def test_a_call_that_cannot_be_recorded_is_ended(bench: Bench) -> None:
    await bench.after(Answered())
    bench.recorder._files.failure = OSError(28, "No space left on device")
    await bench.turn(2)
    assert bench.leg.ended is not None
    bench.recorder._files.failure = None


async def test_a_worker_that_stops_leaves_a_call_with_an_end(bench: Bench) -> None:
    await bench.after(Answered())
    bench.run.cancel()
    await asyncio.gather(bench.run, return_exceptions=True)
    assert bench.leg.ended is not None
    assert bench.data(FactKind.ENDED)[0]["reason"] == "worker stopped"
    bench.run = asyncio.create_task(asyncio.sleep(0))
