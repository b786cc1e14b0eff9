"""The dialog benchmark plays whole calls: every kind of talk ends, and figures come out."""

from __future__ import annotations

from benchmarks.dialog.__main__ import measure
from benchmarks.dialog.calls import TALKS, calls
from voicebot.dialog.engine import initial, step
from voicebot.dialog.loader import find_script, load_script
from voicebot.dialog.state import Phase


def test_every_talk_comes_to_an_end_or_to_a_person() -> None:
    script = load_script(find_script("reminder"))
    ends = set()
    for facts, events in calls(script, len(TALKS), seed=1):
        state = initial(script, facts)
        for event in events:
            state, _ = step(script, state, event)
        assert state.phase in (Phase.ENDED, Phase.HANDED_OVER)
        ends.add(state.disposition)
    assert {"promise_to_pay", "wrong_number", "third_party", "human_requested"} <= ends


def test_the_figures_are_of_what_was_played() -> None:
    row = measure("reminder", 24, 0)
    steps, answers = row["steps"], row["answers"]
    assert isinstance(steps, int) and isinstance(answers, int) and steps > 3 * answers > 24
    assert all(float(str(row[name])) > 0 for name in ("steps_per_s", "gate_checks_per_s", "us_per_answer"))
