"""Rehearsal: simulated calls with the understanding and the speech gate that real calls have."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from voicebot.dialog.script import Script
from voicebot.dialog.simulator import simulate, simulate_one
from voicebot.dialog.simulator_crowd import crowd, shipped_personas
from voicebot.domain.case import CallFacts, Case
from voicebot.domain.understanding import Topic, Understanding
from voicebot.intent.understander import Understander
from voicebot.pipeline.live_gate import LiveGate


class Rehearsal:
    """What understands and judges; keeps what it has heard once, so that a thousand calls take seconds."""

    def __init__(self) -> None:
        self._understander = Understander()
        self._heard: dict[tuple[str, Topic, dt.date], Understanding] = {}
        self._judged: dict[tuple[str, Case | None, bool], list[str]] = {}

    def understand(self, text: str, topic: Topic, now: dt.datetime) -> Understanding:
        """As in a call; the time of day does not matter to a simulated answer, its date does."""
        key = (text, topic, now.date())
        if key not in self._heard:
            self._heard[key] = self._understander.understand(text, topic, now)
        return self._heard[key]

    def judge(self, text: str, facts: CallFacts, verified: bool) -> list[str]:
        """Ids of the rules that the sentence breaks, as the live gate would find them."""
        key = (text, facts.case, verified)
        if key not in self._judged:
            gate = LiveGate(facts)
            gate.verified = verified
            self._judged[key] = gate.pass_on(text)[1]
        return self._judged[key]

    def calls(self, script: Script, personas: Iterable[Mapping[str, Any]], seed: int = 0) -> Iterator[dict[str, Any]]:
        """One row per persona; a persona that cannot be simulated yields a row with `error`."""
        return simulate(script, personas, seed, understand=self.understand, judge=self.judge)

    def call(self, script: Script, persona: Mapping[str, Any], seed: int = 0) -> dict[str, Any]:
        """One row; ValueError says what is wrong with a persona that cannot be simulated."""
        return simulate_one(script, persona, seed, understand=self.understand, judge=self.judge)


@cache
def _rehearsal() -> Rehearsal:
    return Rehearsal()


def rehearse(
    script: Script,
    personas: Iterable[Mapping[str, Any]] | None = None,
    seed: int = 0,
    count: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Rows of simulated calls; without `personas` the shipped ones, `count` of them (more: varied by `seed`)."""
    people = list(shipped_personas() if personas is None else personas)
    return _rehearsal().calls(script, people if count is None else crowd(people, count, seed), seed)
