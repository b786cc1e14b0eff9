"""CallSession at its edges: announcements, a brain that is lost at any moment, orders and ends that come late."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from voicebot.call.prompts import APOLOGY, FAREWELL
from voicebot.call.session import MOST_MS, MOST_WITH_PERSON_MS, CallSession
from voicebot.domain.case import CallFacts
from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.talk import (
    BRIEFING,
    Flush,
    Gone,
    HandedOver,
    HandOver,
    HangUpCall,
    MachineFound,
    Note,
    Opened,
    PickedUp,
    Play,
    Played,
    Report,
)
from voicebot.evidence.reading import read_audio
from voicebot.evidence.recorder import Recorder
from voicebot.evidence.signer import Signer
from voicebot.handoff.desk import Seat
from voicebot.handoff.testing import Office, agent
from voicebot.telephony.leg import Answered, EarlyMedia, Ended, LegEvent, Ringing, TrunkTried
from voicebot.telephony.testing import SimulatedLeg, SimulatedLine

NOW = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)
TONE = b"\x10\x08" * 160


class Seatless:
    """The brain's seat as the test wants it: alive or not, and all it was told."""

    def __init__(self) -> None:
        self.alive = True
        self.reports: list[Report] = []
        self.frames = 0
        self.prompts = {APOLOGY: b"\x01\x30" * 800, FAREWELL: b"\x02\x30" * 800}

    def report(self, report: Report) -> None:
        self.reports.append(report)

    def frame(self, call: int, pcm: bytes) -> None:
        self.frames += 1

    def stored(self, name: str) -> bytes | None:
        return self.prompts.get(name)


class OneAgent(Office):
    """A desk with one agent, who counts how often they are reserved."""

    def __init__(self) -> None:
        super().__init__([agent("a1")], lambda: NOW)
        self.reserved = 0

    def _reserve(self, agent_id: str, call_id: str) -> Seat:
        self.reserved += 1
        return super()._reserve(agent_id, call_id)


class Bench:
    """One session with everything around it."""

    def __init__(self, folder: Path) -> None:
        self.leg, self.line = SimulatedLeg(), SimulatedLine()
        self.brain, self.desk = Seatless(), OneAgent()
        self.signer = Signer.load_or_create(folder / "keys")
        self.recorder = Recorder(folder / "c1", "c1", clock=FixedClock(NOW), environment={})
        self.facts: list[Fact] = []
        self.recorder.subscribe(self.facts.append)
        self.live: list[object] = []
        facts = CallFacts("c1", NOW, None)
        self.session = CallSession(
            1, facts, "inbound", self.leg, self.recorder, self.brain, self.line, self.desk,
            lambda call_id, data: self.live.append(data),
        )  # fmt: skip
        self.run = asyncio.create_task(self.session.run())
        self.tick = 0

    async def after(self, *events: LegEvent) -> Bench:
        for event in events:
            self.leg.tell(event)
        await settle()
        return self

    async def turn(self, ticks: int, said: bytes = bytes(320)) -> list[bytes]:
        heard = []
        for _ in range(ticks):
            heard.append(self.leg.tick(self.tick, said))
            for leg in self.line.legs:
                leg.tick(self.tick, TONE)
            self.tick += 1
            await settle(4)
        return heard

    def play(self, name: str, frames: int, *, interruptible: bool = True) -> None:
        self.session.obey(Play(1, name, f"text of {name}", "node", interruptible))
        self.session.sound(name, TONE * frames, True)

    @property
    def kinds(self) -> list[FactKind]:
        return [fact.kind for fact in self.facts]

    def data(self, kind: FactKind) -> list[dict[str, object]]:
        return [dict(fact.data) for fact in self.facts if fact.kind is kind]


async def settle(times: int = 12) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    one = Bench(tmp_path)
    await settle()
    yield one
    await one.leg.hang_up()
    await asyncio.wait_for(one.run, 5)
    one.recorder.seal(one.signer)


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


async def joined(bench: Bench) -> None:
    bench.line.on_dial = lambda leg: leg.tell(Answered())
    await bench.after(Answered())
    bench.session.sound(BRIEFING, TONE * 2, True)
    bench.session.obey(HandOver(1, "asked", "general", "客户要求人工"))
    await bench.turn(6)
    assert FactKind.JOINED in bench.kinds


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
