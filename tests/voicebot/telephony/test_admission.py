"""LoadGate: late ticks, a lagging loop or a lagging brain close it; only calm opens it again."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.telephony.admission import Limits, LoadGate, watch

BOUNDS = (1.0, 5.0, 20.0, 40.0, 80.0)


class Machine:
    """Ticks of one line, as late as the test says."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.gate = LoadGate(limits, BOUNDS)
        self.counts = [0] * (len(BOUNDS) + 1)
        self.now = 100.0

    def run(
        self, seconds: float, late_ms: float = 0.5, share: float = 1.0, loop_ms: float = 0, brain_ms: float = 0
    ) -> None:
        """`share` of the ticks are so late, the others in time."""
        for _ in range(round(seconds * 4)):
            bucket = next((i for i, bound in enumerate(BOUNDS) if late_ms <= bound), len(BOUNDS))
            late = round(12 * share)
            self.counts[bucket] += late
            self.counts[0] += 12 - late
            self.now += 0.25
            self.gate.observe(self.now, self.counts, loop_ms, brain_ms)


def test_an_idle_machine_takes_calls() -> None:
    machine = Machine()
    machine.run(30)
    assert machine.gate.may_take(0) and machine.gate.may_take(100)
    assert machine.gate.measured.tick_ms == 1.0


@pytest.mark.parametrize("load", [{"late_ms": 200.0, "share": 0.1}, {"loop_ms": 200.0}, {"brain_ms": 400.0}])
def test_each_measure_closes_it_and_only_calm_opens_it(load: dict[str, float]) -> None:
    machine = Machine()
    machine.run(5)
    machine.run(5, **load)
    assert not machine.gate.may_take(1)
    assert machine.gate.may_take(0), "the first call is always taken, or the machine would stay silent for ever"
    machine.run(2)
    assert not machine.gate.may_take(1), "opened before it was calm"
    machine.run(14)
    assert machine.gate.may_take(1)
    assert machine.gate.closings == 1


def test_load_just_below_the_limit_neither_closes_nor_opens() -> None:
    machine = Machine(Limits(brain_ms=300))
    machine.run(20, brain_ms=290)
    assert machine.gate.is_open
    machine.run(1, brain_ms=310)
    machine.run(60, brain_ms=200)
    assert not machine.gate.is_open, "hysteresis: it must sink below half"
    machine.run(4, brain_ms=100)
    assert machine.gate.is_open


def test_one_late_tick_in_a_thousand_is_no_overload() -> None:
    machine = Machine()
    machine.run(10)
    machine.counts[-1] += 1
    machine.run(1)
    assert machine.gate.is_open


@given(st.lists(st.tuples(st.floats(0, 500), st.floats(0, 500), st.floats(0, 1000)), max_size=200))
def test_it_never_flickers_faster_than_its_calm(loads: list[tuple[float, float, float]]) -> None:
    machine, opened_at = Machine(), -1e9
    was_open = True
    for late_ms, loop_ms, brain_ms in loads:
        machine.run(0.25, late_ms, 1.0, loop_ms, brain_ms)
        if machine.gate.is_open and not was_open:
            assert machine.now - opened_at >= machine.gate.limits.calm_s
            opened_at = machine.now
        was_open = machine.gate.is_open


async def test_it_is_fed_by_what_is_measured() -> None:
    gate, counts = LoadGate(bounds_ms=BOUNDS), [0] * 6
    task = asyncio.create_task(watch(gate, lambda: counts, lambda: 1000.0))
    await asyncio.sleep(0.3)
    task.cancel()
    assert not gate.is_open and gate.measured.brain_ms == 1000.0
