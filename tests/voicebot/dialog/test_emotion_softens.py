"""Emotion over the whole policy: it may add a gentle word and changes nothing else, in any script or after a call."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import voicebot
from voicebot.dialog.actions import Action, Explain, Say, SetDisposition, Transfer
from voicebot.dialog.events import Event, Heard
from voicebot.dialog.loader import load_script
from voicebot.dialog.script import Script
from voicebot.domain.understanding import Emotion, EmotionLabel

from .test_properties import calls, walk

SCRIPTS = sorted((Path(__file__).parents[3] / "scripts").glob("*.yaml"))
READERS_OF_POLICY = ("campaign", "compliance")
"""What decides whether, when and how often people are called, and what may be said to them."""

script = cache(load_script)
# Three calls a script, and no search for the smallest one that fails: there are many scripts, and they are long.
FEW = settings(
    max_examples=3, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)


def _felt(events: list[Event], emotion: Emotion) -> list[Event]:
    return [
        Heard(e.now, replace(e.understanding, emotion=emotion)) if isinstance(e, Heard) else e for e in events
    ]


def _but_soft_words(actions: tuple[Action, ...], script: Script) -> list[Action]:
    """The actions without gentle words before them, without running numbers, and without what only an agent or a
    reviewer reads: there the mood may be told."""
    soft = {prompt.text for prompt in script.softeners.values()}
    kept = (a for a in actions if not isinstance(a, Explain) and not (isinstance(a, Say) and a.text in soft))
    return [_untold(action) for action in kept]


def _untold(action: Action) -> Action:
    match action:
        case Say():
            return replace(action, utterance_id="")
        case Transfer():
            return replace(action, briefing="")
        case SetDisposition():
            return replace(action, why="")
        case _:
            return action


@pytest.mark.slow
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
@FEW
@given(calls, st.sampled_from(EmotionLabel), st.floats(0, 1), st.none() | st.floats(0, 1), st.booleans())
def test_every_script_goes_the_same_way_whatever_is_felt(
    path: Path, call: tuple[bool, bool, list[Event]], label: EmotionLabel, p: float, arousal: float | None, known: bool
) -> None:
    case, agent, happened = call
    moved = walk(script(path), _felt(happened, Emotion(label, p, arousal)), case=case, agent=agent, known=known)
    calm = walk(script(path), _felt(happened, Emotion()), case=case, agent=agent, known=known)
    for (felt, felt_actions), (plain, plain_actions) in zip(moved, calm, strict=True):
        if felt.node != plain.node:
            assert script(path).nodes[felt.node].gentle
            return
        assert (felt.disposition, felt.verified, felt.pending, felt.promise, felt.phase, felt.turns) == (
            plain.disposition, plain.verified, plain.pending, plain.promise, plain.phase, plain.turns
        )
        assert _but_soft_words(felt_actions, script(path)) == _but_soft_words(plain_actions, script(path))


def _names(package: str) -> Iterator[tuple[str, str]]:
    """(file, name) of everything that the code of a package of ours reads, calls or imports."""
    for path in sorted((Path(voicebot.__file__).parent / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "name", None)
            if isinstance(name, str):
                yield path.name, name


@pytest.mark.parametrize("package", READERS_OF_POLICY)
def test_calling_and_judging_never_look_at_emotion(package: str) -> None:
    names = list(_names(package))
    assert len(names) > 500
    assert not [(file, name) for file, name in names if "emotion" in name.lower() or "arousal" in name.lower()]
