"""The turn benchmark's caller: it times answers and nothing else, so that the figures can be believed."""

from __future__ import annotations

import pytest

from benchmarks.turns.caller import QUIET_TICKS, Caller, trimmed

LOUD, QUIET = b"\x00\x10" * 160, bytes(320)


def conversation(wait_ticks: int) -> Caller:
    """The bot speaks, the caller answers with 10 frames, the bot is back after so many ticks."""
    caller = Caller([LOUD * 10])
    heard = [*[LOUD] * 50, *[QUIET] * (QUIET_TICKS + 9 + wait_ticks), *[LOUD] * 20]
    for tick, frame in enumerate(heard):
        caller.exchange(frame, tick)
    return caller


@pytest.mark.parametrize("wait_ticks", [16, 25, 60])
def test_an_answer_is_timed_from_the_last_sound_to_the_first(wait_ticks: int) -> None:
    assert conversation(wait_ticks).latencies_ms == [pytest.approx(wait_ticks * 20, abs=20)]


def test_a_bot_that_had_not_finished_is_no_answer() -> None:
    caller = conversation(5)
    assert caller.latencies_ms == []
    assert caller.cut_in == 1


def test_silence_at_the_end_of_a_clip_is_no_speech() -> None:
    assert trimmed(LOUD * 3 + QUIET * 9) == LOUD * 3
    assert trimmed(QUIET) == b""
