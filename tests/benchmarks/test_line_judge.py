"""What the phones of the comparison count as lost and as late, and how the bad network of the soak loses."""

import asyncio
import random
import time

import pytest

from benchmarks.line.__main__ import _cells
from benchmarks.line.phones import Phone, judge
from benchmarks.line.witness import GAP_S, backlogs, excused, watched
from benchmarks.soak.near import outcome
from benchmarks.soak.relay import Weather
from sip import Ended


def phone(arrivals: list[tuple[int, float]]) -> Phone:
    made = Phone(1)
    made.sock.close()
    made.arrivals = arrivals
    return made


def even(frames: int, begin: float = 1000.0) -> list[tuple[int, float]]:
    return [(frame * 160, begin + frame * 0.02) for frame in range(frames)]


def test_an_even_stream_is_neither_late_nor_short() -> None:
    told = judge([phone(even(50))], 1000.0, 1001.0)
    assert told.pop("late") == []
    assert told == pytest.approx(
        {"expected": 50, "lost": 0, "later_than_20_ms": 0, "later_than_40_ms": 0, "worst_ms": 0}, abs=1e-3)


def test_missing_frames_are_lost_and_doubled_ones_do_not_make_up_for_them() -> None:
    stream = even(50)
    told = judge([phone([*stream[:10], *stream[15:], stream[20]])], 1000.0, 1001.0)
    assert told["lost"] == 5


def test_lateness_is_that_behind_the_earliest_packet_of_the_call() -> None:
    stream = even(50)
    stream[30] = (stream[30][0], stream[30][1] + 0.03)
    stream[31] = (stream[31][0], stream[31][1] + 0.05)
    told = judge([phone(stream)], 1000.0, 1001.2)
    assert (told["later_than_20_ms"], told["later_than_40_ms"]) == (2, 1)
    assert told["worst_ms"] == pytest.approx(50)
    assert told["late"][1] == pytest.approx((stream[31][1] - 0.05, stream[31][1]))


def test_a_slow_clock_is_late_in_the_end() -> None:
    slow = [(frame * 160, 1000 + frame * 0.0203) for frame in range(500)]
    assert judge([phone(slow)], 1000.0, 1010.0)["later_than_40_ms"] > 300


def test_a_late_packet_is_excused_by_a_still_machine_and_by_catching_up_only() -> None:
    still = [(10.0, 10.1)]
    before, during, backlog, after = (9.95, 9.99), (9.97, 10.12), (10.15, 10.18), (10.21, 10.24)
    assert excused([before, during, backlog, after], still) == 2
    assert excused([before, during], []) == 0


def test_gaps_that_touch_are_one() -> None:
    assert backlogs([(1.0, 1.1), (1.15, 1.2), (5.0, 5.5)]) == [(1.0, pytest.approx(1.25)), (5.0, 6.0)]


def test_witnesses_stand_on_every_core_until_they_are_told_and_say_what_was_stolen() -> None:
    with watched() as machine:
        time.sleep(0.3)
    assert 0 <= machine.stolen <= 1
    assert all(end - begin > GAP_S for begin, end in machine.gaps)


def test_a_call_that_hears_nothing_has_lost_everything() -> None:
    assert judge([phone([])], 1000.0, 1002.0)["lost"] == 100


def test_a_server_that_broke_has_empty_cells() -> None:
    assert set(_cells({"broke": "ended early"}, 0.1)) == {""}


async def test_the_network_loses_what_it_is_told_to() -> None:
    weather = Weather(0.0, random.Random(1))
    assert all(weather.delays() for _ in range(1000))
    weather.loss = 0.5
    lost = sum(not weather.delays() for _ in range(2000))
    assert 900 < lost < 1100
    assert weather.counts["lost"] == lost and weather.counts["packets"] == 3000
    await asyncio.sleep(0)


@pytest.mark.parametrize(("ended", "words"), [
    (Ended("local", None, "hung up"), "we hung up"), (Ended("remote", None, "bye"), "the far end hung up"),
    (Ended("remote", 486, "Busy"), "refused or not answered (486)"),
    (Ended("error", None, "no media"), "error: no media")])
def test_outcomes_in_words(ended: Ended, words: str) -> None:
    assert outcome(ended) == words
