"""Two people's changes come together; nothing that anybody wrote is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicebot.console.script_merge import BETWEEN, MINE, THEIRS, merged

LINES = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=8).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)


def test_changes_in_different_places_come_together() -> None:
    both = merged("one\ntwo\nthree\n", "ONE\ntwo\nthree\n", "one\ntwo\nthree\nfour\n")
    assert (both.text, both.overlaps) == ("ONE\ntwo\nthree\nfour\n", ())


def test_changes_of_one_place_stand_side_by_side_and_are_named() -> None:
    both = merged("one\ntwo\n", "ONE\ntwo\n", "Eins\ntwo\n", "lin", "zhou")
    assert both.text == f"{MINE} lin\nONE\n{BETWEEN}\nEins\n{THEIRS} zhou\ntwo\n"
    assert both.overlaps == (1,)


@given(LINES, LINES, LINES)
def test_one_sided_changes_win_and_no_line_is_lost(base: str, mine: str, theirs: str) -> None:
    assert merged(base, mine, base).text == mine
    assert merged(base, base, theirs).text == theirs
    assert merged(base, mine, mine).text == mine
    text = merged(base, mine, theirs).text
    new = (set(mine.split()) | set(theirs.split())) - set(base.split())
    assert new <= set(text.split())
