"""Admission by measured load, as callers and the dialler meet it: 503 with Retry-After, and no dial order taken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from voicebot.call.runner import CallRunner
from voicebot.domain.clock import FixedClock
from voicebot.evidence.signer import Signer
from voicebot.telephony.admission import Admission, LoadGate
from voicebot.telephony.leg import Capabilities, Ended
from voicebot.telephony.testing import SimulatedLeg, SimulatedLine
from voicebot.telephony.trunk import Trunk
from voicebot.telephony.trunk_desk import TrunkDesk

BOUNDS = (20.0, 80.0, 160.0)


class Brain:
    alive = True

    def report(self, report: object) -> None: ...

    def frame(self, call: int, pcm: bytes) -> None: ...

    def stored(self, name: str) -> bytes | None:
        return None


class Book:
    def opened(self, *what: object) -> None: ...

    def fact(self, *what: object) -> None: ...

    def live(self, call_id: str, data: Mapping[str, object]) -> None: ...

    def closed(self, *what: object) -> None: ...


def runner(folder: Path, admission: Admission, line: SimulatedLine | None = None) -> CallRunner:
    return CallRunner(
        line or SimulatedLine(), Brain(), cast(Any, None), Book(), FixedClock(dt.datetime(2026, 11, 24, tzinfo=dt.UTC)),
        recordings=folder / "recordings", signer=Signer.load_or_create(folder / "keys"), scripts=folder, max_calls=50,
        inbound_script="inbound", worker="w-0", admission=admission,
    )  # fmt: skip


def late(gate: LoadGate, seconds: int, counts: list[int], bucket: int, start: float) -> float:
    """Ticks of one machine, all in one bucket of lateness."""
    for _ in range(seconds * 4):
        counts[bucket] += 12
        start += 0.25
        gate.observe(start, counts, 0.0, 0.0)
    return start


@pytest.mark.asyncio
async def test_a_late_machine_sends_callers_away_and_takes_no_dial_order(tmp_path: Path) -> None:
    gate, counts = LoadGate(bounds_ms=BOUNDS), [0, 0, 0, 0]
    calls = runner(tmp_path, gate)
    first = SimulatedLeg()
    await calls.incoming(first)
    now = late(gate, 5, counts, 0, 100.0)
    assert calls.may_dial and calls.refusal() is None
    now = late(gate, 2, counts, 2, now)
    assert not calls.may_dial and calls.refusal() == 503
    second = SimulatedLeg()
    await calls.incoming(second)
    assert second.refused == (503, 30)
    late(gate, 20, counts, 0, now)
    assert calls.may_dial and calls.refusal() is None
    first.tell(Ended("remote", None, "hung up"))
    await calls.drain(1)


async def test_without_a_way_out_calls_come_in_and_none_goes_out(tmp_path: Path) -> None:
    trunk = Trunk("carrier", "192.0.2.1")
    desk = TrunkDesk([trunk])
    calls = runner(tmp_path, LoadGate(has_way_out=desk.has_way_out))
    assert calls.may_dial
    for _ in range(2):
        desk.probed(trunk, False)
    assert not calls.may_dial and calls.refusal() is None
    for _ in range(2):
        desk.probed(trunk, True)
    assert calls.may_dial


async def test_an_engine_takes_no_more_than_it_can(tmp_path: Path) -> None:
    line = SimulatedLine()
    line.capabilities = Capabilities(max_calls=1)
    calls = runner(tmp_path, LoadGate(), line)
    leg = SimulatedLeg()
    await calls.incoming(leg)
    assert calls.refusal() == 503 and not calls.may_dial
    leg.tell(Ended("remote", None, "hung up"))
    await calls.drain(1)
