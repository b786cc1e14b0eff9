"""A line takes a turn of its own where it may, says which, and what it starts can give it back."""

import os
from pathlib import Path

import pytest

from voicebot.worker import priority


class Kernel:
    """Notes what was asked, and refuses what it was told to refuse."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *refused: str) -> None:
        self.asked: list[tuple[object, ...]] = []
        for name in ("sched_setscheduler", "nice", "setpriority"):
            monkeypatch.setattr(os, name, self._call(name, name in refused))

    def _call(self, name: str, refuses: bool) -> object:
        def call(*arguments: object) -> None:
            if refuses:
                raise PermissionError(1, "Operation not permitted")
            self.asked.append((name, *arguments))

        return call


def test_the_lowest_real_time_turn_is_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch)
    assert priority.go_first() == "real time"
    assert kernel.asked == [("sched_setscheduler", 0, os.SCHED_RR, os.sched_param(1))]


def test_a_niceness_is_better_than_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch, "sched_setscheduler")
    assert priority.go_first() == "nice"
    assert kernel.asked == [("nice", -10)]


def test_without_rights_it_starts_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch, "sched_setscheduler", "nice", "setpriority")
    assert priority.go_first() == "like all others"
    priority.stand_in_line()
    assert kernel.asked == []


def test_the_brain_takes_a_share_and_no_real_time_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, written = Kernel(monkeypatch), dict[Path, str]()
    monkeypatch.setattr(Path, "write_text", lambda path, text: written.update({path: text}))
    priority.go_second()
    assert kernel.asked == [("nice", -10)] and written == {Path("/proc/self/autogroup"): "-10"}


def test_a_child_stands_in_line_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch)
    priority.stand_in_line()
    assert kernel.asked[0] == ("sched_setscheduler", 0, os.SCHED_OTHER, os.sched_param(0))
