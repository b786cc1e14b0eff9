"""The model of many installations obeys the laws of queues, shares add up, and nothing is priced without a source."""

from __future__ import annotations

import itertools
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.capacity.log import Log
from benchmarks.capacity.verdict import OURS, Day, is_clean, of_kind
from benchmarks.far_beyond.__main__ import MEASURED, checked
from benchmarks.far_beyond.check import WITHIN, compared
from benchmarks.far_beyond.costs import Costs, costs_of
from benchmarks.far_beyond.outlook import Ground, knee, outlook
from benchmarks.far_beyond.parting import by_both, by_creditor, by_debtor, by_region, largest_part, parts_for
from benchmarks.far_beyond.simulation import Town
from benchmarks.far_beyond.stations import PRICES, Alone, Station, load_prices, seats_of

DAY = Day(hours=10, ring_s=25, talk_s=60, answered=0.4, headline=28000, aim=85000)
ALONE = Alone(leases_per_s=100.0, waking_per_s={4: 4000.0, 64: 1000.0}, proxy_s=0.001)


def row(calls: int, line_s: float = 30.0) -> dict[str, Any]:
    """Parts cost 0.02 cores for all calls and 0.001 for each, database and control 0.1 s an attempt."""
    seconds, ended = 60.0, calls * 60.0 / line_s
    idle = dict.fromkeys(OURS, 0.005)
    core = dict.fromkeys(OURS, 0.005 + 0.02 + 0.001 * calls)
    core |= dict.fromkeys(("database", "control"), 0.005 + 0.1 * ended / seconds)
    return {
        "server": "ours", "kind": "talking", "calls": calls, "at_once": float(calls), "seconds": seconds,
        "call_s": calls * seconds, "calls_ended": ended, "core": core, "idle_core": idle, "unanswered": 0,
        "p95_ms": 400.0, "late_by_itself_percent": 0.0, "wakes": {"facts": ended * 10},
        "database": {"rows_written": ended * 50, "transactions": ended * 40, "log_bytes": ended * 1e5},
    }  # fmt: skip


TOO_MUCH = {**row(60), "p95_ms": 5000.0, "core": dict.fromkeys(OURS, 9.0)}


def ground(seats: int = 45) -> Ground:
    costs = costs_of([row(1), row(seats), TOO_MUCH])
    return Ground(costs, ALONE, load_prices(), DAY)


def test_a_straight_line_is_found_again() -> None:
    costs = costs_of([row(1), row(10), row(45), TOO_MUCH])
    assert costs.base_core["line"] == pytest.approx(0.02) and costs.call_core["recogniser"] == pytest.approx(0.001)
    assert costs.attempt_s["control"] == pytest.approx(0.1) and costs.line_s == pytest.approx(30.0)
    assert (costs.rows, costs.wakes, costs.seats) == (pytest.approx(50), pytest.approx(10), 45)
    measured = row(20)["core"]
    assert costs.core(20, 20 / 30) == {part: pytest.approx(measured[part]) for part in OURS}


def test_a_size_that_was_too_much_does_not_bend_the_line() -> None:
    told, alone = costs_of([row(1), row(45), TOO_MUCH]), costs_of([row(1), row(45)])
    assert (told.seats, alone.seats) == (45, None)
    assert replace(told, seats=None) == alone
    assert seats_of(alone, load_prices(), DAY) > 100, "what its cores would hold"


def test_an_idle_server_that_was_busy_makes_no_call_cheaper_than_nothing() -> None:
    restless = row(5) | {"idle_core": dict.fromkeys(OURS, 0.5)}
    costs = costs_of([restless])
    assert min(costs.attempt_s.values()) == 0.0 == min(costs.call_core.values())


def test_no_costs_without_calls() -> None:
    with pytest.raises(ValueError, match="run python -m benchmarks"):
        costs_of([{**row(1), "calls_ended": 0}])


def test_calls_on_the_line_follow_littles_law() -> None:
    for seconds in (400, 1600):
        result = Town([Station("leases", 1, 0.001)], 10_000, DAY, seconds=seconds).open(4.0)
        assert result.on_the_line == pytest.approx(196, rel=0.1)
        assert result.ended_per_s == pytest.approx(4.0, rel=0.1)


def test_a_station_is_as_busy_as_its_load_says_and_only_a_full_one_is_waited_for() -> None:
    calm = Town([Station("control", 1, 0.2)], 1000, DAY, seconds=2000).open(1.0).stations["control"]
    full = Town([Station("control", 1, 1.2)], 1000, DAY, seconds=2000).open(1.0).stations["control"]
    assert calm.busy == pytest.approx(0.2, rel=0.15) and calm.wait_p95_s < 0.3
    assert full.busy > 0.97 and full.wait_p95_s > 30


def test_too_few_seats_are_waited_for() -> None:
    result = Town([Station("leases", 1, 0.001)], 40, DAY, seconds=2000).open(1.0)
    assert result.on_the_line <= 40.001 and result.seats_wait_p95_s > 60


def test_the_same_seed_gives_the_same_day() -> None:
    stations = [Station("database", 2, 0.3, visits=3)]
    assert Town(stations, 90, DAY, 400).open(1.0) == Town(stations, 90, DAY, 400).open(1.0)


@pytest.mark.parametrize("shares", [by_creditor(), by_region(), by_both(), by_debtor()])
def test_shares_are_whole_and_parts_shrink(shares: list[float]) -> None:
    assert sum(shares) == pytest.approx(1.0) and shares == sorted(shares, reverse=True)
    sizes = [largest_part(shares, parts) for parts in (1, 2, 4, 8, 16)]
    assert sizes[0] == pytest.approx(1.0) and all(a >= b for a, b in itertools.pairwise(sizes))
    assert min(sizes) >= shares[0]


def test_the_largest_share_bounds_what_parting_can_do() -> None:
    assert parts_for([0.5, 0.3, 0.2], 0.5) == 2
    assert parts_for([0.5, 0.3, 0.2], 0.4) is None


def test_what_is_full_first_bounds_one_installation() -> None:
    place = ground()
    knees = {name: knee(name, place) for name in place.loads(1.0)}
    first = min(knees, key=lambda name: knees[name])
    told = outlook(knees[first] * 1.02, place)
    assert told.first == first and told.parts["day"] is None and (told.parts["creditor"] or 0) >= 2
    assert outlook(knees[first] * 0.9, place).parted == ("day", 1) or outlook(knees[first] * 0.9, place).parted[1] == 1  # type: ignore[index]


def test_more_calls_cost_more_and_no_single_item_is_forgotten() -> None:
    small, large = outlook(10_000, ground()), outlook(100_000, ground())
    assert large.worker_machines > small.worker_machines
    assert all(large.yuan[item] >= small.yuan[item] > 0 for item in small.yuan)


def test_waking_falls_with_the_listeners() -> None:
    assert ALONE.waking(2) == 4000.0
    assert ALONE.waking(16) == pytest.approx(2000.0)
    assert ALONE.waking(256) == pytest.approx(500.0)
    assert Alone(1.0, {8: 900.0}, 0.0).waking(500) == 900.0


def test_the_model_finds_sizes_that_it_was_not_told_of() -> None:
    found = compared([row(1), row(10), row(25), row(45)], [10, 25])
    assert [one.calls for one in found] == [10, 25]
    for one in found:
        assert one.error < 0.05 < WITHIN
        assert one.predicted_per_s == pytest.approx(one.measured_per_s, rel=0.1)


def test_every_price_says_where_it_comes_from() -> None:
    entries = tomllib.loads(Path(PRICES).read_text(encoding="utf-8"))
    assert all(entry["source"] for entry in entries.values())
    assert isinstance(ground().costs, Costs)


def test_the_machine_that_was_measured_is_predicted_within_the_stated_error() -> None:
    rows = Log(MEASURED).rows
    sizes = {one["calls"] for one in of_kind(rows, "talking") if is_clean(one)}
    found = checked(rows, None)
    assert len(found) == min(2, max(0, len(sizes) - 2))
    assert [one for one in found if one.error > WITHIN] == []
