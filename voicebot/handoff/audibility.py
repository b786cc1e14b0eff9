"""Audibility: who in a call hears whom. One small table, and nothing else decides it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """What somebody is in a call."""

    DEBTOR = "debtor"
    BOT = "bot"
    BRIEFED = "briefed"  # an agent who answered and has not accepted: hears the briefing, which is played to them alone
    AGENT = "agent"
    CONSULT = "consult"  # somebody whom the agent asks
    LISTENER = "listen"
    WHISPERER = "whisper"
    BARGER = "barge"


@dataclass(frozen=True, slots=True)
class Floor:
    """`held`: the debtor is on hold. `three_way`: who was consulted talks with both."""

    held: bool = False
    three_way: bool = False


SUPERVISING = frozenset({Part.LISTENER, Part.WHISPERER, Part.BARGER})
_TALKERS = frozenset({Part.DEBTOR, Part.BOT, Part.AGENT, Part.BARGER})
"""Who has a say in the open talk."""
_SPEAK_TO: dict[Part, frozenset[Part]] = {
    Part.DEBTOR: frozenset({Part.BOT, Part.AGENT, Part.BARGER}),
    Part.AGENT: _TALKERS | {Part.CONSULT, Part.WHISPERER},
    Part.CONSULT: frozenset({Part.AGENT}),
    Part.BRIEFED: frozenset(),
    Part.BOT: frozenset(),
    Part.LISTENER: _TALKERS | {Part.CONSULT},
    Part.WHISPERER: _TALKERS | {Part.CONSULT},
    Part.BARGER: _TALKERS | {Part.CONSULT},
}
"""Listener: those who are heard by them, while nobody is on hold and nobody was brought in."""


def hears(listener: Part, speaker: Part, floor: Floor) -> bool:
    """Whether `listener` hears `speaker`, two different people."""
    if floor.held and Part.DEBTOR in (listener, speaker):
        return listener is Part.DEBTOR and speaker is Part.BOT
    if floor.three_way and Part.CONSULT in (listener, speaker):
        return speaker in _TALKERS | {Part.CONSULT} and listener not in (Part.BRIEFED, Part.BOT)
    return speaker in _SPEAK_TO[listener]
