"""CPU time goes to the part that spent it: to the inner one of two, of any thread, and sleeping costs nothing."""

from __future__ import annotations

import threading
import time

import pytest

from voicebot.telemetry.cpu_clock import CpuClock


class Threads:
    """A CPU clock for each thread that goes on when told to."""

    def __init__(self) -> None:
        self._now = threading.local()

    def work(self, seconds: float) -> None:
        self._now.s = self() + seconds

    def __call__(self) -> float:
        return float(getattr(self._now, "s", 0.0))


@pytest.fixture
def cpu(monkeypatch: pytest.MonkeyPatch) -> Threads:
    made = Threads()
    monkeypatch.setattr(time, "thread_time", made)
    return made


def test_the_inner_part_keeps_its_time_for_itself(cpu: Threads) -> None:
    clock = CpuClock()
    cpu.work(5)
    with clock.part("turns"):
        cpu.work(1)
        with clock.part("understanding"):
            cpu.work(2)
        cpu.work(4)
    cpu.work(8)
    with clock.part("turns"):
        cpu.work(16)
    assert clock.spent_s() == {"turns": 21.0, "understanding": 2.0}


def test_a_part_inside_itself_is_counted_once(cpu: Threads) -> None:
    clock = CpuClock()
    with clock.part("voice"), clock.part("voice"):
        cpu.work(3)
    assert clock.spent_s() == {"voice": 3.0}


def test_an_exception_ends_a_part(cpu: Threads) -> None:
    clock = CpuClock()
    with pytest.raises(ValueError), clock.part("recogniser"):
        cpu.work(1)
        raise ValueError
    cpu.work(9)
    assert clock.spent_s() == {"recogniser": 1.0}


def test_threads_are_added_up_and_stay_when_they_end(cpu: Threads) -> None:
    clock = CpuClock()

    def seal() -> None:
        with clock.part("recorder"):
            cpu.work(2)

    for _ in range(3):
        thread = threading.Thread(target=seal)
        thread.start()
        thread.join()
    with clock.part("recorder"):
        cpu.work(1)
    assert clock.spent_s() == {"recorder": 7.0}


def test_sleeping_costs_nothing_and_computing_does() -> None:
    clock = CpuClock()
    with clock.part("asleep"):
        time.sleep(0.05)
    with clock.part("busy"):
        until = time.thread_time() + 0.05
        while time.thread_time() < until:
            pass
    spent = clock.spent_s()
    assert spent["busy"] >= 0.05 > 5 * spent["asleep"]
