"""What the bot may say next is known before it is needed."""

import pytest

from tests.voicebot.dialog.callee import CASE, NOW
from voicebot.config import scripts_dir
from voicebot.dialog.actions import Say
from voicebot.dialog.engine import initial, step
from voicebot.dialog.events import Event, Heard, HungUp, Started
from voicebot.dialog.foresight import foreseen
from voicebot.dialog.loader import load_script
from voicebot.dialog.prompts import static_prompts
from voicebot.dialog.script import Script
from voicebot.dialog.state import DialogState
from voicebot.domain.case import CallFacts
from voicebot.domain.understanding import IntentScore, Slots, Understanding


@pytest.fixture(scope="module")
def script() -> Script:
    return load_script(scripts_dir() / "reminder.yaml")


def fresh(script: Script) -> DialogState:
    return initial(script, CallFacts("call-1", NOW, CASE))


def said(script: Script, state: DialogState, *happened: Event) -> tuple[DialogState, list[str]]:
    texts: list[str] = []
    for event in happened:
        state, todo = step(script, state, event)
        texts = [action.text for action in todo if isinstance(action, Say)]
    return state, texts


def test_the_first_words_are_known_while_it_rings(script: Script) -> None:
    _, opening = said(script, fresh(script), Started(NOW))
    assert foreseen(script, fresh(script), NOW) == tuple(opening)


def test_what_follows_the_right_digits_is_known_before_they_are_said(script: Script) -> None:
    ready = frozenset(static_prompts(script))
    itself = Heard(NOW, Understanding("我是", (IntentScore("id_confirm_self", 0.98),)))
    asked, _ = said(script, fresh(script), Started(NOW), itself)
    expected = foreseen(script, asked, NOW, ready)
    digits = str(CASE.debtor.id_last4)
    _, answer = said(script, asked, Heard(NOW, Understanding(digits, slots=Slots(digits=digits))))
    personal = [text for text in answer if text not in ready]
    assert personal and set(personal) <= set(expected)
    assert not set(expected) & ready


def test_at_most_so_many_and_nothing_once_it_is_over(script: Script) -> None:
    state, _ = said(script, fresh(script), Started(NOW))
    assert len(foreseen(script, state, NOW, most=2)) <= 2
    over, _ = said(script, state, HungUp(NOW))
    assert foreseen(script, over, NOW) == ()
