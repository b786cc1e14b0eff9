"""Capacity: what counts as clean, what rows add up to, and that the page holds what was measured and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.capacity.database import Stretch, call_seconds, talk_seconds
from benchmarks.capacity.log import Log
from benchmarks.capacity.page import BEGIN, END, PageError, tables, write_page
from benchmarks.capacity.processes import Snapshot, used
from benchmarks.capacity.verdict import OURS, Day, attempts, flatness, is_clean, limit, load_day, slope_mb
from benchmarks.turns.figures import lateness

ROOT = Path(__file__).resolve().parents[2]
MACHINE = {"cores": 2, "processor": "test", "python": "3.11", "load_before": 0.1}
DAY = Day(hours=10, ring_s=25, talk_s=60, answered=0.4, headline=28000, aim=85000)


def row(calls: int, cost: float = 0.9, **changed: Any) -> dict[str, Any]:
    parts = dict.fromkeys(OURS, cost / len(OURS))
    core = {name: value * calls / 60 + 0.01 for name, value in parts.items()} | {"far end": 0.05}
    made = {
        "server": "ours", "kind": "talking", "calls": calls, "workers": 1, "at_once": float(calls), "turns": 40,
        "unanswered": 0, "p50_ms": 300.0, "p95_ms": 500.0, "p99_ms": 600.0, "first_words_p95_ms": 90.0,
        "late_percent": 0.02, "late_by_itself_percent": 0.0, "of_the_call_itself": parts,
        "cpu_s_per_call_minute": {name: value + 0.6 / calls for name, value in parts.items()}, "core": core,
        "idle_core": dict.fromkeys(OURS, 0.01), "memory_mb": {"line": 100.0 + calls, "brain": 300.0, "far end": 999.0},
        "stolen_percent": 1.0, "calls_ended": 9,
    }  # fmt: skip
    return made | changed


@pytest.mark.parametrize("changed", [
    {"p95_ms": 1001.0}, {"p95_ms": None}, {"late_by_itself_percent": 0.1}, {"late_by_itself_percent": None},
    {"unanswered": 1}, {"at_once": 8.0},
])  # fmt: skip
def test_one_fault_is_enough_not_to_be_clean(changed: dict[str, Any]) -> None:
    assert is_clean(row(10)) and not is_clean(row(10, **changed))


def test_the_limit_is_the_largest_clean_row() -> None:
    rows = [row(10), row(1), row(30, p95_ms=4000.0), row(20)]
    assert limit(rows) == row(20)
    assert limit([row(5, unanswered=3)]) is None


def test_cost_is_compared_without_the_idle_server() -> None:
    assert flatness([row(1, 2.0), row(20, 1.0), row(30, 9.9, p95_ms=5000.0)]) == pytest.approx(0.5)
    assert flatness([row(20)]) is None


def test_memory_per_call_leaves_the_far_end_out() -> None:
    assert slope_mb([row(1), row(10), row(40)]) == pytest.approx(1.0)
    assert slope_mb([row(1)]) is None


def test_attempts_a_day() -> None:
    ringing = row(20, 0.3, kind="ringing")
    told = attempts([row(49, 0.9), ringing], DAY)
    assert told is not None
    assert told.cautious == 36000  # 49 calls, 49 s of the line each
    assert told.cpu_s_each == pytest.approx(25 / 60 * 0.3 + 24 / 60 * 0.9)
    assert told.by_cost == pytest.approx(36000 * (49 * 0.9 / 60) / told.cpu_s_each, rel=0.001)
    assert attempts([row(49)], DAY) is None


def test_every_assumption_of_the_day_has_a_source() -> None:
    assert load_day().headline == 28000
    text = (ROOT / "benchmarks/capacity/day.toml").read_text(encoding="utf-8")
    assert text.count("source = ") == text.count("value = ") == 6


def test_seconds_of_calls_are_those_within_the_window() -> None:
    calls = [Stretch(90, 95, 120, "x"), Stretch(105, None, 108, "y"), Stretch(115, 119, 140, "z")]
    assert call_seconds(calls, 100, 120) == pytest.approx(20 + 3 + 5)
    assert talk_seconds(calls, 100, 120) == pytest.approx(20 + 1)


def test_parts_add_up_to_what_the_kernel_counted() -> None:
    names = ("line", "brain", "control", "softphone", "database", "far end", "benchmark")
    before = Snapshot(0.0, dict.fromkeys(names, 1.0), {"line": {"recorder": 1.0, "rest": 1.0}, "brain": {"rest": 5.0}})
    after = Snapshot(10.0, dict.fromkeys(names, 5.0), {
        "line": {"recorder": 2.0, "rest": 4.0},
        "brain": {"rest": 6.0, "recogniser": 2.0, "echo": 0.5, "turns": 0.25, "voice activity": 0.25},
    })  # fmt: skip
    spent = used(before, after)
    assert spent["recorder"] == pytest.approx(1.0) and spent["line"] == pytest.approx(3.0)
    assert spent["recogniser"] == pytest.approx(2.0) and spent["voice activity"] == pytest.approx(1.0)
    assert spent["pipeline"] == pytest.approx(1.0) and spent["control"] == pytest.approx(8.0)
    assert sum(spent.values()) == pytest.approx(4.0 * len(names))


def test_late_packets_outside_the_window_do_not_count_nor_what_a_machine_that_stood_still_explains() -> None:
    late = [(9.5, 9.6), (10.2, 10.3), (11.0, 11.1), (11.0, 11.5)]
    told = {"packets": {"9": 50, "10": 50, "11": 50}, "late": late}
    assert lateness(told, [(10.99, 11.05)], (10.0, 12.0)) == {
        "packets": 100, "late_percent": 3.0, "late_by_itself_percent": 2.0,
    }  # fmt: skip
    assert lateness({"packets": {}, "late": []}, [])["late_percent"] is None


def test_a_run_goes_on_where_it_was_cut_short(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    first = Log(file)
    first.add(row(10))
    again = Log(file)
    assert again.find("ours", "talking", 10, 1) == row(10)
    assert again.find("ours", "ringing", 10, 1) is None and again.find("ours", "talking", 10, 2) is None
    assert again.machine == first.machine and json.loads(file.read_text())["rows"]


def test_the_page_keeps_its_prose_and_gets_the_tables(tmp_path: Path) -> None:
    page = tmp_path / "capacity.md"
    page.write_text(f"# Capacity\n\nbefore\n{BEGIN}\nstale\n{END}\nafter\n")
    rows = [row(1), row(49), row(20, 0.3, kind="ringing"), {**row(1), "server": "stock", "core_percent": 20.0,
            "far_end_core_percent": 4.0, "held_mb": 200.0, "cpu_s_per_call_minute": {"stock": 9.0}}]  # fmt: skip
    write_page(page, rows, MACHINE)
    text = page.read_text()
    assert text.startswith("# Capacity\n\nbefore\n") and text.endswith(f"{END}\nafter\n") and "stale" not in text
    assert "**49 calls at once**" in text and "36,000 attempts a day" in text and "9.00 at 1" in text
    write_page(page, rows, MACHINE)
    assert page.read_text() == text
    page.write_text("no marks")
    with pytest.raises(PageError):
        write_page(page, rows, MACHINE)


def test_tables_of_a_run_that_has_only_begun() -> None:
    assert "No size was clean" in tables([], MACHINE)


def test_the_page_shows_what_was_recorded() -> None:
    log = Log(ROOT / "benchmarks/capacity/measured.json")
    text = (ROOT / "docs/reference/capacity.md").read_text(encoding="utf-8")
    written = text.partition(BEGIN)[2].partition(END)[0].strip()
    assert log.rows and written == tables(log.rows, log.machine).strip(), "write it anew with --from and --page"
