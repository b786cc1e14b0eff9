"""Sealed calls of the real line and brain, played again: nothing has changed, so nothing differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from voicebot.config import scripts_dir
from voicebot.dialog.loader import load_script
from voicebot.quality.calls_again import Candidate, again
from voicebot.telephony.leg import Answered

from .people import Debtor
from .stage import CASE, Models, Stage
from .test_reminder_calls import PROMISES

Perform = Callable[..., Stage]
MakeDebtor = Callable[..., Debtor]
CALLS: Mapping[str, tuple[dict[str, Any], int]] = {
    "promise": ({"answers": PROMISES}, 0),
    "hardship": ({"answers": {**PROMISES, "debt": ["我失业了，没有钱"], "promise": ["不行"]}}, 0),
    "stranger": ({"answers": {"open": ["你打错了，我不认识这个人"], "any": ["不认识"]}}, 0),
    "silence": ({}, 0),
    "barge-in": ({"answers": PROMISES, "barges_in": ("元", 2000, "等一下，我没有钱还不起")}, 0),
    "person": ({"answers": {**PROMISES, "debt": ["我要转人工"], "any": ["转人工"]}}, 2),
    "nobody": ({"answers": {**PROMISES, "debt": ["我要转人工"], "any": ["好的"]}}, 0),
}


async def picked_up(stage: Stage, debtor: Debtor) -> None:
    leg = await stage.ring(debtor)
    leg.tell(Answered())
    await stage.play()


@pytest.fixture
def call(request: pytest.FixtureRequest, perform: Perform, debtor: MakeDebtor) -> Stage:
    setting, agents = CALLS[request.param]
    return perform(lambda stage: picked_up(stage, debtor(**setting)), agents=agents)


def bundle_of(stage: Stage) -> Path:
    assert stage.bundle is not None
    return stage.bundle


@pytest.mark.parametrize("call", CALLS, indirect=True)
def test_through_the_same_script_it_is_the_same_call(call: Stage) -> None:
    candidate = Candidate(load_script(scripts_dir() / "reminder.yaml"))
    found, first = again(bundle_of(call), candidate, CASE)
    assert found.same, (found.differences, found.disposition, call.story())
    assert found.identical, "the decisions are not those of the journal"
    _, second = again(bundle_of(call), Candidate(load_script(scripts_dir() / "reminder.yaml")), CASE)
    assert first.journal == second.journal and first.journal


@pytest.mark.parametrize("call", ["promise"], indirect=True)
def test_with_the_recogniser_and_classifier_of_the_call_it_is_the_same_too(call: Stage, models: Models) -> None:
    script = load_script(scripts_dir() / "reminder.yaml")
    understand = models.understander.understand
    assert again(bundle_of(call), Candidate(script, understand), CASE)[0].same
    heard = again(bundle_of(call), Candidate(script, understand, models.recognizer), CASE)[0]
    assert heard.diverged is None and heard.disposition[0] == heard.disposition[1]


@pytest.mark.parametrize("call", ["promise"], indirect=True)
def test_a_classifier_that_understands_otherwise_leads_elsewhere(call: Stage, models: Models) -> None:
    """One that takes every answer for the wish for a person."""
    script = load_script(scripts_dir() / "reminder.yaml")

    def deaf(text: str, topic: Any, now: Any) -> Any:
        return replace(models.understander.understand("转人工", topic, now), text=text)

    found, _ = again(bundle_of(call), Candidate(script, deaf), CASE)
    assert found.diverged is not None and found.handoff == (False, True)
    assert not found.identical
