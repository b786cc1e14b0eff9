"""The telephones of the turn benchmark: they time packets and nothing else, so that the figures can be believed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.line.far_end import PhoneMedia
from benchmarks.line.phones import Booth, Phone
from benchmarks.line.rows import free_port
from benchmarks.turns.debtors import third_s
from benchmarks.turns.far_end import FarEnd, punctual
from benchmarks.turns.figures import figures, quantile
from benchmarks.turns.peers import rounds_for
from benchmarks.turns.phone import FRAME_BYTES, Heard, Line, TalkingPhone, framed, trimmed
from benchmarks.turns.server import punctuality
from sip.codec import PCMA
from sip.events import Answered, Ended
from sip.rtp import RtpPacket
from sip.user_agent import UserAgent
from voicebot.tts.synthesizer import load_synthesizer

LOUD, QUIET = PCMA.encode(b"\x00\x10" * 160), PCMA.silent_frame


class Talk:
    """A bot and a telephone in steps of 20 ms on one clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, lines: list[Line]) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "time", lambda: self.now)
        self.phone = TalkingPhone(0, lines)
        self.phone.sock.close()
        self.said: list[bool] = []

    def bot(self, frames: int, payload: bytes = LOUD) -> None:
        for _ in range(frames):
            self.phone.arrived(RtpPacket(8, False, 0, 0, 1, payload), self.now)
            self.said.append(self.phone.payload() != QUIET)
            self.now += 0.02

    def until_caller_ends(self) -> None:
        while not (self.said and self.said[-1]):
            self.bot(1, QUIET)
        while self.said[-1]:
            self.bot(1, QUIET)


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Talk]:
    yield Talk(monkeypatch, [Line((LOUD,) * 10)])


@pytest.mark.parametrize("wait_frames", [12, 25, 60])
def test_an_answer_is_timed_from_the_last_packet_to_the_first(talk: Talk, wait_frames: int) -> None:
    talk.bot(50)
    talk.until_caller_ends()  # one silent frame is out by then
    talk.bot(wait_frames, QUIET)
    talk.bot(20)
    assert talk.phone.heard.turns_s == [pytest.approx((wait_frames + 2) * 0.02)]
    assert talk.phone.done


def test_first_words_count_from_the_answer(talk: Talk) -> None:
    talk.bot(7, QUIET)
    talk.bot(5)
    assert talk.phone.heard.first_words_s == [pytest.approx(0.14)]


def test_a_bot_that_had_not_finished_is_no_answer(talk: Talk) -> None:
    talk.bot(50)
    talk.until_caller_ends()
    talk.bot(20)
    assert talk.phone.heard.turns_s == [] and talk.phone.heard.cut_in == 1


def test_a_bot_that_begins_before_we_end_talks_over_us(talk: Talk) -> None:
    talk.bot(50)
    while not talk.said[-1]:
        talk.bot(1, QUIET)
    talk.bot(20)
    assert talk.phone.heard.talked_over == 1


def test_no_answer_is_given_up(talk: Talk) -> None:
    talk.bot(50)
    talk.until_caller_ends()
    talk.bot(450, QUIET)
    assert talk.phone.heard.unanswered == 1 and talk.phone.done


@pytest.mark.parametrize("goes_on", [5, 30])
def test_an_interrupted_bot_is_timed_to_its_last_loud_packet(monkeypatch: pytest.MonkeyPatch, goes_on: int) -> None:
    talk = Talk(monkeypatch, [Line((LOUD,) * 60, cuts_in=True, third_s=0.2)])
    while not (talk.said and talk.said[-1]):
        talk.bot(1)
    talk.bot(goes_on)
    talk.bot(40, QUIET)
    heard = talk.phone.heard
    assert heard.stops_s == [pytest.approx(goes_on * 0.02)]
    assert heard.stops_after_third_s == [pytest.approx(max(goes_on * 0.02 - 0.2, 0.0))]


def test_a_pause_of_the_bot_is_no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Talk(monkeypatch, [Line((LOUD,) * 90, cuts_in=True)])
    while not (talk.said and talk.said[-1]):
        talk.bot(1)
    talk.bot(20, QUIET)
    talk.bot(10)
    talk.bot(40, QUIET)
    assert talk.phone.heard.stops_s == [pytest.approx(0.6)]


def test_the_third_syllable_ends_where_the_next_word_begins() -> None:
    """Said alone, 我月底 is longer: its last syllable is drawn out."""
    inside = third_s("我月底之前会还清", "f4")
    alone = len(trimmed(load_synthesizer().synthesize("我月底", "f4"))) / 16000
    assert 0.75 * inside < alone - 0.1 < 1.25 * inside
    assert third_s("我这个周五就还", "m1") == pytest.approx(0.58, abs=0.06)


def test_silence_at_the_ends_of_a_clip_is_no_speech() -> None:
    loud, quiet = b"\x00\x10" * 160, bytes(FRAME_BYTES)
    assert trimmed(quiet * 2 + loud * 3 + quiet * 9) == loud * 3
    assert trimmed(quiet) == b""


def test_what_fills_the_frames_up_stands_before_the_speech() -> None:
    assert framed(b"\x00\x10" * 200)[-1] == LOUD


def test_quantiles_are_measured_values() -> None:
    assert [quantile([4.0, 1.0, 3.0, 2.0], share) for share in (0.5, 0.95)] == [2.0, 4.0]
    assert quantile([], 0.5) is None
    heard = Heard(turns_s=[0.3, 0.5])
    told = figures({name: getattr(heard, name) for name in Heard.__slots__})
    assert (told["turns"], told["p50_ms"], told["p95_ms"], told["first_words_p50_ms"]) == (2, 300.0, 500.0, None)


def test_enough_rounds_for_enough_turns() -> None:
    assert (rounds_for(1, 24), rounds_for(10, 24), rounds_for(50, 24)) == (6, 1, 1)


async def test_where_nobody_is_at_home_it_rings_audibly_and_ends_unanswered() -> None:
    far_end, stop = FarEnd(nobody_home_s=0.3), asyncio.Event()
    listen = ("127.0.0.1", free_port())
    ringing = asyncio.create_task(far_end.answer(listen, stop))
    await asyncio.sleep(0.1)
    heard = Phone(1)
    agent = UserAgent(("127.0.0.1", 0), media_factory=lambda: PhoneMedia(booth, heard), codecs=("PCMA",))
    booth = Booth()
    await agent.start()
    booth.start()
    call = agent.call(f"sip:1@{listen[0]}:{listen[1]}", from_uri="sip:bench@127.0.0.1")
    async with asyncio.timeout(60):
        events = [event async for event in call.events()]
    assert not any(isinstance(event, Answered) for event in events)
    assert isinstance(events[-1], Ended) and events[-1].status == 480
    assert heard.arrivals and far_end.told()["packets"] == {}
    stop.set()
    await agent.close()
    booth.close()
    await ringing


def test_late_is_behind_the_most_punctual_packet_of_the_same_call(talk: Talk) -> None:
    talk.phone.arrivals = [(160 * n, 1000.05 + 0.02 * n + late) for n, late in enumerate((0.01, 0.0, 0.019, 0.03))]
    told = punctual([talk.phone])
    assert sum(told["packets"].values()) == 4
    assert told["late"] == [(pytest.approx(1000.11), pytest.approx(1000.14))]


def test_lateness_is_that_of_all_lines_together(tmp_path: Path) -> None:
    last = [{"event": "line stopped", "ticks": ticks, "late_over_40_ms": late} for ticks, late in ((100, 1), (50, 2))]
    log = tmp_path / "processes.log"
    log.write_text("\n".join(["no JSON", *map(json.dumps, last), '{"event": "brain stopped"}']))
    assert punctuality(tmp_path) == {"ticks": 150, "late_over_40_ms": 3}
    log.write_text("killed")
    with pytest.raises(SystemExit, match="tidily"):
        punctuality(tmp_path)
