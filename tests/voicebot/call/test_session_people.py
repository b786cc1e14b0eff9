"""CallSession when the brain is lost at any moment, and when a person talks with the callee."""

from __future__ import annotations

import asyncio
from pathlib import Path

from voicebot.call.prompts import APOLOGY, FAREWELL
from voicebot.domain.journal import FactKind
from voicebot.domain.records import AlertKind
from voicebot.domain.talk import (
    HandedOver,
    HandOver,
    Note,
    Opened,
)
from voicebot.evidence.reading import read_audio
from voicebot.telephony.leg import Answered, EarlyMedia, Ended, Ringing

from .bench import TONE, Bench, joined, settle


async def test_a_lost_brain_means_apology_and_a_person(bench: Bench) -> None:
    bench.line.on_dial = lambda leg: leg.tell(Answered())
    await bench.after(Answered())
    bench.play("u1", 50)
    await bench.turn(2)
    bench.brain.alive = False
    bench.session.brain_lost(520)
    heard = await bench.turn(30)
    assert heard[0] == bench.brain.prompts[APOLOGY][:320]
    said = bench.data(FactKind.SAID)
    assert (said[0]["utterance_id"], said[0]["interrupted"], said[0]["heard_ms"]) == ("u1", True, 40)
    assert FactKind.JOINED in bench.kinds
    assert TONE in heard, "the callee does not hear the agent"
    assert bench.data(FactKind.BRAIN_LOST) == [{"silent_ms": 520}]


async def test_a_lost_brain_and_nobody_free_means_a_callback(bench: Bench) -> None:
    bench.line.on_dial = lambda leg: leg.tell(Ended("remote", 486, "busy"))
    await bench.after(Answered())
    bench.brain.alive = False
    bench.session.brain_lost(520)
    await bench.turn(30)
    assert bench.data(FactKind.CALLBACK_BOOKED) == [{"at": None, "reason": "agent_busy"}]
    assert bench.leg.ended is not None, "the call stays open for ever"


async def test_what_a_lost_brain_orders_when_it_wakes_is_not_obeyed(bench: Bench) -> None:
    await bench.after(Answered())
    bench.session.brain_lost(520)
    bench.play("stale", 5)
    assert [data["utterance_id"] for data in bench.data(FactKind.SAYING)] == [APOLOGY]


async def test_a_brain_lost_before_the_answer_is_made_up_for_at_the_answer(bench: Bench) -> None:
    await bench.after(EarlyMedia())
    bench.session.brain_lost(0)
    await settle()
    assert bench.desk.reserved == 0, "nobody talks to a ringing phone"
    await bench.after(Answered())
    assert (await bench.turn(1))[0] != bytes(320), "the callee picks up and hears nothing"
    assert bench.desk.reserved == 1


async def test_a_call_that_only_rings_does_not_mind_a_lost_brain(bench: Bench) -> None:
    await bench.after(Ringing(180))
    bench.session.brain_lost(0)
    await bench.after(Answered())
    assert bench.kinds == [FactKind.RINGING, FactKind.ANSWERED]
    assert bench.brain.reports == [Opened(1, bench.session.facts, "inbound", True)]


async def test_early_media_without_a_brain_leaves_the_call_to_the_next_one(bench: Bench) -> None:
    bench.brain.alive = False
    await bench.after(EarlyMedia())
    bench.brain.alive = True
    await bench.after(Answered())
    assert bench.brain.reports == [Opened(1, bench.session.facts, "inbound", True)], "the new brain knows of no call"


async def test_both_hear_each_other_and_the_recording_has_both(bench: Bench, tmp_path: Path) -> None:
    await joined(bench)
    caller = b"\x02\x01" * 160
    heard = await bench.turn(10, caller)
    assert heard[-1] == TONE
    await bench.leg.hang_up()
    await asyncio.wait_for(bench.run, 5)
    audio = read_audio(bench.recorder.seal(bench.signer))
    assert bytes(audio[-160:, 0].tobytes()) == TONE
    assert bytes(audio[-160:, 1].tobytes()) == caller
    assert bench.line.legs[0].ended is not None, "the agent's leg is left behind"
    assert bench.desk.released == [("a1", True)]


async def test_a_brain_lost_during_the_talk_disturbs_nobody(bench: Bench) -> None:
    await joined(bench)
    bench.brain.alive = False
    bench.session.brain_lost(600)
    assert (await bench.turn(3))[-1] == TONE
    assert bench.desk.reserved == 1, "a second agent was fetched"
    bench.line.legs[0].tell(Ended("error", None, "no media"))
    await bench.turn(12)
    assert bench.desk.reserved == 2, "nobody comes back to the callee"


async def test_a_brain_lost_while_a_person_is_fetched_fetches_no_second_one(bench: Bench) -> None:
    await bench.after(Answered())
    bench.session.obey(HandOver(1, "asked", "general", ""))
    await bench.turn(2)
    bench.brain.alive = False
    bench.session.brain_lost(600)
    await bench.turn(2)
    assert bench.desk.reserved == 1
    assert len(bench.line.legs) == 1


async def test_when_the_agent_hangs_up_the_call_is_over(bench: Bench) -> None:
    await joined(bench)
    bench.line.legs[0].tell(Ended("remote", None, "the peer hung up"))
    await settle()
    assert bench.leg.ended is not None


async def test_when_the_agents_line_breaks_another_one_is_fetched(bench: Bench) -> None:
    await joined(bench)
    bench.line.on_dial = lambda leg: None  # rings for a while
    bench.line.legs[0].tell(Ended("error", None, "no media"))
    await settle()
    assert bench.leg.ended is None
    assert (await bench.turn(5))[0] == bench.brain.prompts[APOLOGY][:320]
    bench.line.legs[1].tell(Answered())
    await settle()
    heard = await bench.turn(3)
    assert bench.kinds.count(FactKind.JOINED) == 2
    assert heard[-1] == TONE


async def test_when_no_person_can_be_fetched_the_callee_is_told(bench: Bench) -> None:
    bench.line.on_dial = lambda leg: leg.tell(Ended("remote", 486, "busy"))
    await bench.after(Answered())
    bench.session.brain_lost(500)
    heard = await bench.turn(20)
    assert bench.brain.prompts[FAREWELL][:320] in heard
    assert bench.data(FactKind.SAID)[-1]["heard_ms"] == 100
    assert "回电" in str(bench.data(FactKind.SAID)[-1]["text"])


async def test_a_brain_that_could_not_transfer_tries_again(bench: Bench) -> None:
    bench.line.on_dial = lambda leg: leg.tell(Ended("remote", 486, "busy"))
    await bench.after(Answered())
    bench.session.obey(HandOver(1, "asked", "general", ""))
    await bench.turn(2)
    assert bench.brain.reports[-1] == HandedOver(1, joined=False, why="agent_busy")
    bench.line.on_dial = lambda leg: leg.tell(Answered())
    bench.session.obey(HandOver(1, "again", "general", ""))
    await bench.turn(4)
    assert FactKind.JOINED in bench.kinds


async def test_the_callee_waits_to_a_chime_and_not_in_silence(bench: Bench) -> None:
    await bench.after(Answered())
    bench.session.obey(HandOver(1, "asked", "general", ""))
    heard = await bench.turn(30)
    assert sum(one != bytes(320) for one in heard) > 20


async def test_what_a_person_may_not_say_is_on_the_wall_at_once(bench: Bench) -> None:
    await bench.after(Answered())
    bench.session.obey(Note(1, FactKind.GATE_ALERT, {"text": "不还钱就要坐牢", "rules": ["F04"]}))
    await settle()
    assert bench.desk.alerts == [(AlertKind.GATE, "不还钱就要坐牢")]


async def test_what_the_bot_was_kept_from_saying_is_on_the_wall_at_once(bench: Bench) -> None:
    await bench.after(Answered())
    blocked = {"text": "speech gate", "blocked": "不还钱就要坐牢", "rules": ["F04"]}
    bench.session.obey(Note(1, FactKind.NOTE, blocked))
    bench.session.obey(Note(1, FactKind.NOTE, {"text": "anything else"}))
    await settle()
    assert bench.desk.alerts == [(AlertKind.GATE, "已拦截：不还钱就要坐牢")]
