"""A conversation that was written down is played again, and tells what is not as it was."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from voicebot.dialog.loader import find_script, load_script
from voicebot.dialog.plays import MOST_EVENTS, PlayError, differences, expected_of, play
from voicebot.dialog.state import Phase
from voicebot.domain.understanding import IntentScore, Slots, Topic, Understanding

SCRIPT = load_script(find_script("reminder"))


def understand(text: str, topic: Topic, now: dt.datetime) -> Understanding:
    intent = {"对": "m_affirm", "我要人工": "m_human"}.get(text, "unknown")
    return Understanding(text, (IntentScore(intent, 0.9),), slots=Slots())


def test_chosen_intents_take_the_place_of_the_model() -> None:
    played = play(SCRIPT, [{"say": "随便", "intents": ["id_confirm_self"]}], understand)
    assert [exchange.state.node for exchange in played] == ["open", "verify"]
    assert played[1].understanding is not None and played[1].understanding.top == "id_confirm_self"


def test_a_chosen_danger_is_one() -> None:
    played = play(SCRIPT, [{"say": "", "intents": ["vu_selfharm_explicit"]}], understand)
    assert played[1].understanding is not None and played[1].understanding.danger
    assert played[-1].state.disposition == "vulnerable"


def test_the_case_comes_with_the_first_event() -> None:
    begin = {"name": "王芳", "salutation": "ms", "amount_fen": 5000}
    played = play(SCRIPT, [{"begin": begin}, {"say": "对"}], understand)
    assert any("王芳女士" in getattr(action, "text", "") for action in played[0].actions)
    assert played[1].state.node == "verify"


def test_what_comes_after_the_end_is_left_out() -> None:
    played = play(SCRIPT, [{"hang_up": True}, {"say": "对"}], understand)
    assert len(played) == 2 and played[-1].state.phase is Phase.ENDED


def test_persons_are_fetched_or_not() -> None:
    joined = play(SCRIPT, [{"say": "我要人工"}, {"transfer": True}], understand)
    alone = play(SCRIPT, [{"say": "我要人工"}, {"transfer": False}], understand)
    assert joined[-1].state.phase is Phase.HANDED_OVER
    assert alone[-1].state.phase is not Phase.HANDED_OVER


def test_a_script_that_does_otherwise_is_told_event_by_event() -> None:
    events = [{"say": "对"}, {"silence": True}]
    expected = expected_of(play(SCRIPT, events, understand))
    assert differences(expected, play(SCRIPT, events, understand)) == []
    nodes = dict(SCRIPT.nodes)
    nodes["open"] = replace(nodes["open"], branches=tuple(replace(b, goto="debt") for b in nodes["open"].branches))
    found = differences(expected, play(replace(SCRIPT, nodes=nodes), events, understand))
    assert found[0] == "event 1: node was verify, is debt"


@pytest.mark.parametrize(
    "events",
    [
        [{}],
        [{"key": "10"}],
        [{"shout": "?"}],
        [{"begin": {"amount_fen": "viel"}}],
        [{"begin": {"now": "gestern"}}],
        [{"silence": True}] * (MOST_EVENTS + 1),
    ],
)
def test_what_cannot_be_played_is_said_so(events: list[dict[str, object]]) -> None:
    with pytest.raises(PlayError):
        play(SCRIPT, events, understand)
