"""The 20 ms clock: no drift, bounded catching up, one bad session harms nobody."""

import asyncio
import random

import pytest

from sip.media import Lateness, MediaWheel
from sip.media.wheel import Schedule


class Log:
    """A session that writes down its ticks."""

    def __init__(self) -> None:
        self.ticks: list[int] = []

    def tick(self, tick: int) -> None:
        self.ticks.append(tick)


def test_lateness_of_one_tick_does_not_move_the_next():
    chance, schedule, now, ran = random.Random(3), Schedule(100.0), 100.0, []
    while now < 160.0:
        now = max(schedule.deadline_s, now) + chance.uniform(0, 0.015)
        ran += schedule.due(now)
    assert ran == list(range(len(ran)))
    assert len(ran) == pytest.approx(60 * 50, abs=2)
    assert schedule.skipped == 0


def test_a_timer_that_fires_early_runs_nothing_twice():
    schedule = Schedule(0.0)
    assert list(schedule.due(0.0)) == [0]
    assert list(schedule.due(0.005)) == []
    assert list(schedule.due(0.0195)) == [1]
    assert list(schedule.due(0.0205)) == []


def test_after_a_stall_a_few_ticks_are_made_up_for_and_the_rest_skipped():
    schedule = Schedule(0.0, burst=3)
    schedule.due(0.0)
    assert list(schedule.due(0.429)) == [19, 20, 21]
    assert schedule.skipped == 18
    assert schedule.deadline_s == pytest.approx(0.44)
    assert list(schedule.due(0.44)) == [22]


def test_a_short_stall_skips_nothing():
    schedule = Schedule(0.0, burst=3)
    schedule.due(0.0)
    assert list(schedule.due(0.065)) == [1, 2, 3]
    assert schedule.skipped == 0




@pytest.mark.looptime
async def test_half_a_minute_of_ticks_is_half_a_minute():
    wheel, session = MediaWheel(asyncio.get_running_loop().time), Log()
    wheel.add(session)
    wheel.start()
    await asyncio.sleep(30)
    wheel.stop()
    assert session.ticks == list(range(len(session.ticks)))
    assert len(session.ticks) == pytest.approx(1_500, abs=2)
    assert wheel.lateness.worst_ms < 2


@pytest.mark.looptime
async def test_callbacks_enclose_all_sessions_of_a_tick():
    wheel, order = MediaWheel(asyncio.get_running_loop().time), []

    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        def tick(self, tick: int) -> None:
            order.append((self.name, tick))

    wheel.before(lambda tick: order.append(("before", tick)))
    wheel.after(lambda tick: order.append(("after", tick)))
    wheel.add(Named("a"))
    wheel.add(Named("b"))
    wheel.start()
    await asyncio.sleep(0.05)
    wheel.stop()
    assert order[:8] == [(name, tick) for tick in (0, 1) for name in ("before", "a", "b", "after")]


@pytest.mark.looptime
async def test_a_session_that_raises_stops_neither_the_wheel_nor_the_others(caplog):
    wheel, good = MediaWheel(asyncio.get_running_loop().time), Log()

    class Bad:
        def tick(self, tick: int) -> None:
            raise RuntimeError("bad port")

    wheel.add(Bad())
    wheel.add(good)
    wheel.start()
    await asyncio.sleep(10)
    wheel.stop()
    assert len(good.ticks) == pytest.approx(500, abs=2)
    assert wheel.failures == len(good.ticks)
    assert len(caplog.records) < 10


@pytest.mark.looptime
async def test_a_session_closed_by_another_in_the_same_tick_is_not_called():
    wheel, victim = MediaWheel(asyncio.get_running_loop().time), Log()

    class Closer:
        def tick(self, tick: int) -> None:
            wheel.remove(victim)

    wheel.add(Closer())
    wheel.add(victim)
    wheel.start()
    await asyncio.sleep(1)
    wheel.stop()
    assert victim.ticks == []


@pytest.mark.looptime
async def test_a_stopped_wheel_stands_still():
    wheel, session = MediaWheel(asyncio.get_running_loop().time), Log()
    wheel.add(session)
    wheel.start()
    wheel.start()
    await asyncio.sleep(0.1)
    wheel.stop()
    before = len(session.ticks)
    await asyncio.sleep(1)
    assert len(session.ticks) == before
    assert before in (4, 5)
    wheel.start()
    await asyncio.sleep(0.1)
    wheel.stop()
    assert session.ticks == list(range(len(session.ticks)))
    assert len(session.ticks) > before


def test_the_histogram_tells_quantiles_and_the_worst():
    late = Lateness()
    for milliseconds in [0.1] * 90 + [3.0] * 9 + [500.0]:
        late.note(milliseconds / 1000)
    assert late.count == 100
    assert late.quantile_ms(0.5) == 0.5
    assert late.quantile_ms(0.95) == 5.0
    assert late.quantile_ms(1.0) == late.worst_ms == 500.0
    assert late.later_than(20.0) == 1
