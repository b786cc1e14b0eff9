"""Work that hangs is left behind; work that is slow, fails, or waits for its turn is not."""

from __future__ import annotations

import threading
import time

import pytest

from voicebot.asr import watched
from voicebot.asr.watched import HungError, Watched


def test_what_work_returns_and_raises_comes_through() -> None:
    watch = Watched()
    assert watch.run(lambda: 6 * 7) == 42
    with pytest.raises(ZeroDivisionError):
        watch.run(lambda: 1 / 0)
    assert watch.run(threading.current_thread) is watch.run(threading.current_thread), "one thread does all of it"
    assert watch.left_behind == 0


def test_what_hangs_is_left_and_the_next_piece_is_done_by_another() -> None:
    watch, comes = Watched(), threading.Event()
    before = watch.run(threading.current_thread)
    with pytest.raises(HungError):
        watch.run(lambda: comes.wait(60))
    assert watch.run(threading.current_thread) is not before
    assert watch.left_behind == 1
    comes.set()
    before.join(60)
    assert not before.is_alive(), "it ends when what it waited for has come"


def test_a_late_result_reaches_nobody() -> None:
    watch, comes = Watched(), threading.Event()
    with pytest.raises(HungError):
        watch.run(lambda: comes.wait(60))
    comes.set()
    assert watch.run(lambda: "mine") == "mine"


def test_work_that_is_busy_has_longer() -> None:
    def busy() -> str:
        until = time.thread_time() + 1.5 * watched.STILL_S
        while time.thread_time() < until:
            sum(range(1000))
        return "done"

    assert Watched().run(busy) == "done"


def test_work_that_never_ends_is_given_up() -> None:
    watch, enough = Watched(), threading.Event()

    def endless() -> None:
        while not enough.is_set():
            sum(range(1000))

    with pytest.raises(HungError):
        watch.run(endless)
    enough.set()


def test_work_that_is_woken_again_and_again_is_only_slow() -> None:
    """As a thread is that waits for the interpreter, which a busy machine gives to others."""
    comes = threading.Event()

    def patient() -> str:
        for _ in range(100):
            comes.wait(0.005)
        return "done"

    assert Watched().run(patient) == "done"
