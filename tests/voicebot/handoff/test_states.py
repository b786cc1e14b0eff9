"""The warm transfer on paper is the one in the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.handoff.audibility import Floor, Part, hears
from voicebot.handoff.states import TABLE, Event, IllegalMoveError, State, after

PAPER = Path(__file__).parents[3] / "docs" / "reference" / "warm-transfer.md"


def rows(head: str) -> list[list[str]]:
    """The cells of the table that begins with this head."""
    lines = PAPER.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(head))
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def test_every_row_of_the_table_stands_on_paper_and_no_other() -> None:
    paper = {(State(row[0]), Event(row[1])): State(row[2]) for row in rows("| state | event |")}
    assert paper == TABLE


def test_the_matrix_of_voices_is_the_one_on_paper() -> None:
    head = PAPER.read_text(encoding="utf-8").split("| hears |")[1].split("\n")[0]
    speakers = [Part(cell.strip()) for cell in head.rstrip("|").split("|")]
    for name, *cells in rows("| hears |"):
        for speaker, cell in zip(speakers, cells, strict=True):
            if speaker.value != name:
                plain, three = (hears(Part(name), speaker, Floor(three_way=way)) for way in (False, True))
                expected = {"x": (True, True), "3": (False, True), "-": (False, False)}[cell]
                assert (plain, three) == expected, (name, speaker)


def test_every_state_can_be_left_and_reached() -> None:
    assert {state for state, _ in TABLE} == set(State) - {State.OVER}
    assert set(TABLE.values()) == set(State)
    assert {event for _, event in TABLE} == set(Event)


def test_the_debtor_may_go_at_any_time() -> None:
    for state in set(State) - {State.OVER}:
        assert after(state, Event.DEBTOR_GONE) is State.OVER


def test_what_the_table_does_not_know_is_an_error() -> None:
    with pytest.raises(IllegalMoveError, match="accepted in state queued"):
        after(State.QUEUED, Event.ACCEPTED)
