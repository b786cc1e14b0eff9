"""Choosing a trunk: never one that can't take a call, the best of those that can, weights in the long run."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.telephony.leg import Ended
from voicebot.telephony.trunk import Trunk
from voicebot.telephony.trunk_choice import (
    FAILURES_TO_OPEN,
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    TRIAL_S,
    Registered,
    Trouble,
    TrunkState,
    choose,
    ended,
    failed,
    obstacle,
    probed,
    served,
    started,
)
from voicebot.telephony.trunk_desk import TrunkDesk

NOW = 1000.0


def state(name: str = "a", **changes: object) -> TrunkState:
    kept = {key: changes.pop(key) for key in ("priority", "weight", "max_calls", "calls_per_second") if key in changes}
    return replace(TrunkState(Trunk(name, "192.0.2.1", **kept), tokens=1.0, tokens_at=NOW), **changes)  # type: ignore[arg-type]


states = st.builds(
    state,
    name=st.text("abcdef", min_size=1, max_size=3),
    priority=st.integers(0, 3),
    weight=st.integers(0, 3),
    max_calls=st.integers(1, 3),
    running=st.integers(0, 4),
    healthy=st.booleans(),
    tokens=st.floats(0, 2),
    paused_until=st.floats(NOW - 5, NOW + 5),
    registered=st.sampled_from(list(Registered)),
)


@given(st.lists(states, max_size=6), st.floats(0, 1, exclude_max=True), st.sets(st.text("abcdef", max_size=3)))
def test_what_is_chosen_can_take_a_call_and_nothing_better_can(
    offered: list[TrunkState], draw: float, tried: set[str]
) -> None:
    chosen = choose(offered, NOW, draw, tried)
    able = [s for s in offered if s.trunk.name not in tried and obstacle(s, NOW) is None]
    assert (chosen is None) == (not able)
    if chosen is not None:
        assert chosen in able
        assert chosen.trunk.priority == min(s.trunk.priority for s in able)
        equals = [s for s in able if s.trunk.priority == chosen.trunk.priority]
        assert chosen.trunk.weight or not any(s.trunk.weight for s in equals)


def test_weights_hold_in_the_long_run() -> None:
    chance = random.Random(7)
    offered = [state("a", weight=1), state("b", weight=3), state("c", weight=0)]
    picked = Counter(choose(offered, NOW, chance.random()).trunk.name for _ in range(4000))  # type: ignore[union-attr]
    assert picked["c"] == 0
    assert 2.6 < picked["b"] / picked["a"] < 3.4


def test_a_weight_of_nothing_is_used_when_nothing_else_is_left() -> None:
    chosen = choose([state("a", weight=1), state("b", weight=0)], NOW, 0.5, tried={"a"})
    assert chosen is not None and chosen.trunk.name == "b"


@given(st.lists(st.floats(0, 2), min_size=1, max_size=60), st.floats(0.5, 20))
def test_never_more_calls_per_second_than_allowed(pauses: list[float], rate: float) -> None:
    one = state(calls_per_second=rate, max_calls=1000, tokens=1.0)
    now, starts = NOW, []
    for pause in pauses:
        now += pause
        while choose([one], now, 0.0) is not None:
            one = started(one, now)
            starts.append(now)
    for begin in starts:
        within = sum(1 for at in starts if begin <= at < begin + 1.0 - 1e-6)
        assert within <= max(1, math.ceil(rate)), "also after a long pause"


def test_three_failures_in_a_row_open_the_circuit_and_each_pause_is_longer() -> None:
    one, now, pauses = state(tokens=100.0, calls_per_second=5000.0), NOW, []
    for _ in range(FAILURES_TO_OPEN - 1):
        one = failed(ended(started(one, now)), now, "500")
        assert obstacle(one, now) is None
    for _ in range(9):
        one = failed(ended(started(one, now)), now, "500")
        assert obstacle(one, now) == "paused after failures"
        pauses.append(one.paused_until - now)
        now = one.paused_until
        assert obstacle(one, now) is None, "after the pause it is tried"
    assert pauses[0] == pytest.approx(FIRST_PAUSE_S)
    assert all(b == pytest.approx(min(2 * a, LONGEST_PAUSE_S)) for a, b in itertools.pairwise(pauses))


def test_after_a_pause_one_call_is_the_trial_and_its_success_opens_the_way() -> None:
    one = state(tokens=100.0, calls_per_second=5000.0, failures=FAILURES_TO_OPEN, paused_until=NOW)
    one = started(one, NOW)
    assert obstacle(one, NOW + TRIAL_S / 2) == "paused after failures", "the others wait for what becomes of it"
    assert obstacle(served(one), NOW + 1) is None
    assert obstacle(failed(one, NOW + 1, "500"), NOW + 1 + FIRST_PAUSE_S / 2) == "paused after failures"


def test_calls_under_way_when_the_circuit_opened_do_not_lengthen_the_pause() -> None:
    one = state(failures=FAILURES_TO_OPEN - 1)
    one = failed(one, NOW, "503")
    until = one.paused_until
    for _ in range(20):
        one = failed(one, NOW + 0.1, "503")
    assert one.paused_until == until


@given(st.floats(-10, 1e6))
def test_retry_after_is_respected_within_reason(seconds: float) -> None:
    one = failed(state(), NOW, "503", seconds)
    assert one.paused_until <= NOW + LONGEST_PAUSE_S
    assert one.paused_until >= NOW + min(max(seconds, 0), LONGEST_PAUSE_S) - 1e-6


@given(st.lists(st.booleans(), max_size=60))
def test_health_changes_only_after_two_probes_that_agree(answers: list[bool]) -> None:
    one, seen = state(), []
    for answered in answers:
        before = one.healthy
        one = probed(one, answered)
        seen.append(answered)
        if one.healthy != before:
            assert seen[-2:] == [one.healthy] * 2
        if len(seen) > 1 and seen[-1] == seen[-2]:
            assert one.healthy == seen[-1]


def test_trouble_is_told_once_until_the_trunk_works_again() -> None:
    told: list[tuple[str, Trouble, str]] = []
    trunk, clock = Trunk("a", "192.0.2.1"), [NOW]
    desk = TrunkDesk([trunk], lambda: clock[0], lambda: 0.0)
    desk.on_trouble = lambda name, why, said: told.append((name, why, said))
    for _ in range(2):
        for _ in range(4):
            desk.probed(trunk, False)
        assert told.pop() == ("a", Trouble.SILENT, "no answer to OPTIONS") and not told
        for _ in range(2):
            desk.probed(trunk, True)
    for _ in range(3):  # a circuit that opens, and whose trials fail
        for _ in range(FAILURES_TO_OPEN):
            desk.sent(trunk)
            desk.over(trunk, Ended("remote", 500, "Oops"), rung=False)
        clock[0] += LONGEST_PAUSE_S
    assert told == [("a", Trouble.FAILING, "500 Oops")]
    desk.sent(trunk)
    desk.rang(trunk, answered=True)
    desk.registered(trunk, Registered.FAILED, "403 Forbidden")
    assert told[1:] == [("a", Trouble.REFUSED, "403 Forbidden")]
