"""LineRoom: what lines say of themselves decides where the next call is placed, and how many."""

from __future__ import annotations

from pathlib import Path

from voicebot.telemetry.process_figures import LineFigures, write_figures
from voicebot.worker.line_room import LineRoom, line_room
from voicebot.worker.names import worker_name

LATE = (("+Inf", 1),)


def write(home: Path, worker: int, *trunks: tuple[str, int, int], may_dial: bool = True) -> None:
    rows = tuple({"name": "a", "state": state, "used": used, "channels": channels} for state, used, channels in trunks)
    write_figures(home, worker, LineFigures(LATE, 0.0, True, 0.0, 0, may_dial=may_dial, trunks=rows))


def test_free_channels_of_trunks_that_work_on_lines_that_may_dial(tmp_path: Path) -> None:
    write(tmp_path, 0, ("up", 3, 10), ("down", 0, 50), ("trial", 0, 2))
    write(tmp_path, 1, ("up", 0, 100), may_dial=False)
    room = line_room(tmp_path)
    assert room == LineRoom(frozenset({worker_name(0)}), 9)
    assert room.may_dial(worker_name(0)) and not room.may_dial(worker_name(1))


def test_without_trunks_nothing_limits(tmp_path: Path) -> None:
    write(tmp_path, 0)
    assert line_room(tmp_path).free is None


def test_when_no_line_may_dial_there_is_no_room(tmp_path: Path) -> None:
    write(tmp_path, 0, may_dial=False)
    assert line_room(tmp_path) == LineRoom(frozenset(), 0)


def test_lines_that_have_not_written_yet_are_not_waited_for(tmp_path: Path) -> None:
    room = line_room(tmp_path)
    assert room.free is None and room.may_dial(worker_name(3))
