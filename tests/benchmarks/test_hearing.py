"""The hearing benchmark hears what its callers say, and its parts add up."""

from __future__ import annotations

from benchmarks.hearing.__main__ import ANSWERS, measure, rounds


def test_every_round_has_a_caller_who_speaks_when_the_bot_is_silent() -> None:
    made = rounds()
    assert len(made) == len(ANSWERS)
    for one in made:
        assert len(one.caller) == len(one.bot)
        assert not any(any(caller) and any(bot) for caller, bot in zip(one.caller, one.bot, strict=True))


def test_turns_are_heard_and_the_parts_are_parts() -> None:
    row = measure(3, 9.0)
    assert row["turns"] >= 2
    assert 0 < row["recogniser_percent"] + row["activity_percent"] < row["hearing_percent"]
