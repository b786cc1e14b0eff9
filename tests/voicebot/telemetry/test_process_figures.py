"""Line and brain tell of themselves through files; what a dead process left is not told."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

from prometheus_client import CollectorRegistry

from voicebot.telemetry.process_figures import BrainFigures, LineFigures, ProcessFigures, write_figures

LINE = LineFigures((("0.001", 90), ("0.02", 99), ("+Inf", 100)), 0.5, True, 0.012, 3)


def registry(home: Path) -> CollectorRegistry:
    made = CollectorRegistry()
    made.register(ProcessFigures(home))
    return made


def test_what_was_written_is_published_by_worker(tmp_path: Path) -> None:
    write_figures(tmp_path, 0, LINE)
    write_figures(tmp_path, 1, BrainFigures(memory=40, folder=5, synthesised=10, held_bytes=1000, foreseen=7))
    values = registry(tmp_path)
    assert values.get_sample_value("voicebot_tick_late_seconds_bucket", {"worker": "0", "le": "0.02"}) == 99
    assert values.get_sample_value("voicebot_tick_late_seconds_count", {"worker": "0"}) == 100
    assert values.get_sample_value("voicebot_brain_lag_seconds", {"worker": "0"}) == 0.012
    assert values.get_sample_value("voicebot_brain_alive", {"worker": "0"}) == 1
    assert values.get_sample_value("voicebot_ticks_dropped_total", {"worker": "0"}) == 3
    assert values.get_sample_value("voicebot_prompt_cache_total", {"worker": "1", "result": "memory"}) == 40
    assert values.get_sample_value("voicebot_prompt_cache_bytes", {"worker": "1"}) == 1000
    assert values.get_sample_value("voicebot_prompts_foreseen_total", {"worker": "1"}) == 7


def test_cpu_time_is_published_by_part(tmp_path: Path) -> None:
    write_figures(tmp_path, 0, replace(LINE, cpu_s={"recorder": 1.5, "rest": 9.0}))
    write_figures(tmp_path, 0, BrainFigures(0, 0, 0, 0, cpu_s={"voice activity": 2.25}))
    values, name = registry(tmp_path), "voicebot_cpu_seconds_total"
    line, brain = {"worker": "0", "process": "line"}, {"worker": "0", "process": "brain"}
    assert values.get_sample_value(name, line | {"part": "recorder"}) == 1.5
    assert values.get_sample_value(name, line | {"part": "rest"}) == 9.0
    assert values.get_sample_value(name, brain | {"part": "voice activity"}) == 2.25


def test_stale_and_broken_files_are_left_out(tmp_path: Path) -> None:
    write_figures(tmp_path, 0, LINE)
    old = time.time() - 60
    os.utime(tmp_path / "figures" / "line-0.json", (old, old))
    (tmp_path / "figures" / "line-1.json").write_text("{half")
    values = registry(tmp_path)
    assert values.get_sample_value("voicebot_brain_alive", {"worker": "0"}) is None
    assert values.get_sample_value("voicebot_brain_alive", {"worker": "1"}) is None


def test_nothing_was_written_yet(tmp_path: Path) -> None:
    assert registry(tmp_path).get_sample_value("voicebot_brain_alive", {"worker": "0"}) is None


def test_trunks_and_admission_are_published(tmp_path: Path) -> None:
    trunk = {"name": "carrier", "state": "up", "used": 3, "channels": 30, "tried": 9, "answered": 4, "failed": 1}
    write_figures(tmp_path, 0, replace(LINE, admits=False, trunks=(trunk, trunk | {"name": "spare", "state": "down"})))
    values = registry(tmp_path)
    carrier, spare = {"worker": "0", "trunk": "carrier"}, {"worker": "0", "trunk": "spare"}
    assert values.get_sample_value("voicebot_line_admits", {"worker": "0"}) == 0
    assert values.get_sample_value("voicebot_trunk_up", carrier) == 1
    assert values.get_sample_value("voicebot_trunk_up", spare) == 0
    assert values.get_sample_value("voicebot_trunk_channels_used", carrier) == 3
    assert values.get_sample_value("voicebot_trunk_calls_total", carrier | {"result": "answered"}) == 4
    assert values.get_sample_value("voicebot_trunk_calls_total", carrier | {"result": "inbound"}) == 0


def test_a_recogniser_that_is_stood_in_for_is_published(tmp_path: Path) -> None:
    write_figures(tmp_path, 0, BrainFigures(1, 1, 1, 1, recognizer_up=False, stood_in=4))
    write_figures(tmp_path, 1, BrainFigures(1, 1, 1, 1))
    values = registry(tmp_path)
    assert [values.get_sample_value("voicebot_recognizer_up", {"worker": one}) for one in "01"] == [0, 1]
    assert values.get_sample_value("voicebot_recognizer_stood_in_total", {"worker": "0"}) == 4
