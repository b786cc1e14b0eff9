"""End of turn: short after an answer, longer inside one, never for a click."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.pipeline.end_of_turn import TICK_MS, EndOfTurn, Patience, TurnChange


def pause_until_end(
    *, words: bool, complete: bool, closed: bool = False, figure: bool = False, low: bool = False
) -> int:
    """Milliseconds of silence after which a turn of half a second ends."""
    turn = EndOfTurn()
    for _ in range(25):
        turn.tick(True, words=words, complete=complete, figure=figure)
    for ticks in range(1, 500):
        if turn.tick(False, words=words, complete=complete, closed=closed, figure=figure, low=low) is TurnChange.ENDED:
            return ticks * TICK_MS
    raise AssertionError("the turn never ends")


def test_the_pause_depends_on_what_was_said() -> None:
    patience = Patience()
    assert pause_until_end(words=True, complete=True) == patience.complete_ms
    assert pause_until_end(words=True, complete=False) == patience.open_ms
    assert pause_until_end(words=False, complete=False) == patience.wordless_ms
    assert pause_until_end(words=True, complete=False, figure=True) == patience.figure_ms
    assert pause_until_end(words=True, complete=True, figure=True) == patience.complete_ms
    assert pause_until_end(words=True, complete=False, low=True) == patience.open_low_ms < patience.open_ms
    assert pause_until_end(words=True, complete=False, figure=True, low=True) == patience.figure_low_ms
    assert 800 < patience.figure_low_ms < patience.figure_ms <= 1200
    assert pause_until_end(words=True, complete=True, low=True) == patience.complete_ms <= 200
    assert pause_until_end(words=True, complete=True, closed=True) == patience.closed_ms < patience.complete_ms
    assert pause_until_end(words=True, complete=False, closed=True, figure=True) == patience.sum_ms <= 500
    assert patience.complete_ms < patience.open_ms < patience.wordless_ms < patience.figure_ms


@pytest.mark.parametrize(("voiced_ms", "starts"), [(20, False), (40, False), (60, True), (200, True)])
def test_a_click_starts_no_turn(voiced_ms: int, starts: bool) -> None:
    turn = EndOfTurn()
    changes = [turn.tick(True, words=False, complete=False) for _ in range(voiced_ms // TICK_MS)]
    assert (TurnChange.STARTED in changes) is starts


def test_speech_inside_the_pause_goes_on_with_the_turn() -> None:
    turn = EndOfTurn()
    for _ in range(10):
        turn.tick(True, words=True, complete=False)
    for _ in range(20):
        assert turn.tick(False, words=True, complete=False) is None
    turn.tick(True, words=True, complete=False)
    assert turn.pause_ms == 0 and turn.in_turn


def test_an_endless_noise_is_cut() -> None:
    turn = EndOfTurn()
    changes = [turn.tick(True, words=False, complete=False) for _ in range(Patience().longest_ms // TICK_MS + 5)]
    assert changes.count(TurnChange.ENDED) == 1


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=400))
def test_starts_and_ends_alternate(ticks: list[tuple[bool, bool, bool]]) -> None:
    turn = EndOfTurn()
    changes = [turn.tick(voice, words=words, complete=done) for voice, words, done in ticks]
    seen = [change for change in changes if change is not None]
    assert all(a is not b for a, b in pairwise(seen))
    assert not seen or seen[0] is TurnChange.STARTED
