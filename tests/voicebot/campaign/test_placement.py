"""Placement: orders go to the workers in turn, past those that would not take them."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

import pytest

from voicebot.campaign.placement import Placement
from voicebot.domain.clock import FixedClock

WORKERS = ["w-0", "w-1", "w-2"]


@pytest.mark.parametrize(
    ("able", "turns"),
    [
        ({"w-0", "w-1", "w-2"}, ["w-0", "w-1", "w-2", "w-0"]),
        ({"w-0", "w-2"}, ["w-0", "w-2", "w-0", "w-2"]),
        ({"w-1"}, ["w-1", "w-1", "w-1", "w-1"]),
        (set(), ["w-0", "w-1", "w-2", "w-0"]),
    ],
)
def test_workers_take_turns(able: set[str], turns: list[str]) -> None:
    clock = FixedClock(dt.datetime(2026, 11, 24, tzinfo=dt.UTC))
    placement = Placement(cast(Any, None), WORKERS, clock, lambda worker: worker in able)
    assert [placement._turns.next() for _ in turns] == turns


def test_a_single_worker_gets_everything() -> None:
    clock = FixedClock(dt.datetime(2026, 11, 24, tzinfo=dt.UTC))
    placement = Placement(cast(Any, None), ["w-0"], clock, lambda worker: False)
    assert [placement._turns.next() for _ in range(3)] == ["w-0"] * 3
