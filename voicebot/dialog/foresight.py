"""Foresight: what the next answer may make the bot say, found by playing the likely ones through the engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterator

from voicebot.dialog.actions import Say
from voicebot.dialog.engine import step
from voicebot.dialog.events import Event, Heard, Silence, Started
from voicebot.dialog.script import Script
from voicebot.dialog.state import DialogState, Phase
from voicebot.domain.understanding import IntentScore, Slots, Topic, Understanding

_SOMETHING = "嗯"


def foreseen(
    script: Script, state: DialogState, now: dt.datetime, ready: Container[str] = (), most: int = 6
) -> tuple[str, ...]:
    """Up to `most` sentences that may come next and are not `ready`, the likely ones first; pure like the engine.

    Before the call has begun they are its first words. Dates and sums that the callee has yet to name are not known.
    """
    found: dict[str, None] = {}
    for event in _likely(script, state, now):
        for action in step(script, state, event)[1]:
            if isinstance(action, Say) and action.text not in ready:
                found.setdefault(action.text)
        if len(found) >= most:
            break
    return tuple(found)[:most]


def _likely(script: Script, state: DialogState, now: dt.datetime) -> Iterator[Event]:
    """The answers that a node expects, in its own order; none while nobody listens."""
    if state.phase is Phase.NEW:
        yield Started(now)
    if state.phase is not Phase.LISTENING:
        return
    node, case = script.nodes[state.node], state.facts.case
    if node.topic is Topic.VERIFY and case is not None and case.debtor.id_last4:
        digits = case.debtor.id_last4
        yield Heard(now, Understanding(digits, slots=Slots(digits=digits)))
    for branch in node.branches:
        for intent in branch.hears[:1]:
            yield Heard(now, Understanding(_SOMETHING, (IntentScore(intent, 0.99),)))
    yield Silence(now, node.patience_s)

