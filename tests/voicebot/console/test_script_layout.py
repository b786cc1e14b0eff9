"""Cards stand in columns, none on top of another, and the flow leads from left to right."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from voicebot.console.script_drawing import drawn_flow
from voicebot.console.script_flow import flow_of
from voicebot.console.script_layout import CARD_WIDTH, lay_out
from voicebot.console.words import Words
from voicebot.dialog.loader import find_script, load_script

NAMES = st.integers(0, 14).map(lambda number: f"n{number}")


@given(
    st.dictionaries(NAMES, st.integers(40, 300), min_size=1), st.dictionaries(NAMES, st.lists(NAMES)), st.lists(NAMES)
)
def test_no_two_cards_overlap(heights: dict[str, int], exits: dict[str, list[str]], roots: list[str]) -> None:
    layout = lay_out(heights, exits, roots)
    assert layout.boxes.keys() == heights.keys()
    placed = sorted(layout.boxes.values(), key=lambda box: (box.x, box.y))
    for one, other in itertools.pairwise(placed):
        apart = one.x + CARD_WIDTH <= other.x or one.y + one.height <= other.y
        assert apart, (one, other)
    assert all(box.x >= 0 and box.right <= layout.width and box.y + box.height <= layout.height for box in placed)


def test_a_chain_goes_from_left_to_right_at_one_height() -> None:
    heights = dict.fromkeys("abc", 100)
    boxes = lay_out(heights, {"a": ["b"], "b": ["c", "a"]}, ["a"]).boxes
    assert boxes["a"].x < boxes["b"].x < boxes["c"].x
    assert boxes["a"].y == boxes["b"].y == boxes["c"].y


def test_what_only_a_signal_reaches_stands_below_the_flow() -> None:
    heights = dict.fromkeys(("start", "end", "crisis", "help"), 80)
    boxes = lay_out(heights, {"start": ["end"], "crisis": ["help"]}, ["start", "crisis"]).boxes
    assert min(boxes["crisis"].y, boxes["help"].y) > max(boxes["start"].y, boxes["end"].y) + 80
    assert boxes["crisis"].x < boxes["help"].x


def test_every_card_and_way_of_a_shipped_script_is_drawn() -> None:
    flow = flow_of(load_script(find_script("reminder")))
    drawn = str(drawn_flow(Words("zh"), flow))
    assert all(f'data-card="{name}"' in drawn for name in flow.cards)
    assert drawn.count('class="link') >= len(flow.cards)
    assert "请问是" in drawn and "<var" in drawn
