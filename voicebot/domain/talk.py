"""Orders and reports: all that the brain and the line of a worker say to each other about a call.

The brain orders, the line reports; sound travels beside them (see voicebot.worker.ticks). `call` is the line's
number for the call, unique for the life of the line process.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from voicebot.domain.case import CallFacts
from voicebot.domain.journal import FactKind

BRIEFING = "briefing"
"""Utterance id of the sentence that only the agent hears."""
AGENT_SIDE = 1 << 31
"""Added to a call's number: the sound of the agent who talks in it, as a stream of its own."""
OWN_SIDE = 1 << 30
"""Added to a call's number: the sound that the line sends to the caller, which may come back as echo."""


@dataclass(frozen=True, slots=True)
class Play:
    """Speak an utterance; its sound follows. `answers_tick`: the tick in which the speech it answers ended."""

    call: int
    utterance_id: str
    text: str
    node: str
    interruptible: bool = True
    answers_tick: int | None = None


@dataclass(frozen=True, slots=True)
class Flush:
    """Stop speaking: drop what was not yet sent."""

    call: int


@dataclass(frozen=True, slots=True)
class HangUpCall:
    """End the call once everything ordered before was spoken."""

    call: int


@dataclass(frozen=True, slots=True)
class HandOver:
    """Fetch a person; the sound of the briefing came before under BRIEFING."""

    call: int
    reason: str
    skill: str
    briefing: str
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """Append a fact to the call's journal (HEARING is shown live and not kept)."""

    call: int
    kind: FactKind
    data: dict[str, object] = field(default_factory=dict)


NOBODY = frozenset({"announcement", "tone", "fax"})
"""Kinds of machines with which nothing can be done."""
UNCLEAR = "unclear"
"""Cue of an announcement that has begun and has not yet said what the matter is."""
GOES_ON = frozenset({UNCLEAR, "call_waiting"})
"""Cues of announcements after which the call may still be answered."""


@dataclass(frozen=True, slots=True)
class MachineFound:
    """A machine is on the line: voicemail, assistant, or one of NOBODY, with which the line ends the call."""

    call: int
    kind: str
    cue: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The brain can't go on with this call: the line apologises, fetches a person or books a callback."""

    call: int
    why: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A prompt that the line keeps for the day on which the brain is gone; its sound came before under `name`."""

    name: str
    text: str


Order = Play | Flush | HangUpCall | HandOver | Note | MachineFound | GiveUp | Stored


@dataclass(frozen=True, slots=True)
class Opened:
    """A call has sound, or was answered: get ready to converse. `answered` is False for early media.

    `silent`: an agent dialled, and talks from the beginning; listen and say nothing.
    """

    call: int
    facts: CallFacts
    script: str
    answered: bool
    silent: bool = False


@dataclass(frozen=True, slots=True)
class PickedUp:
    call: int


@dataclass(frozen=True, slots=True)
class KeyHeard:
    call: int
    digit: str


@dataclass(frozen=True, slots=True)
class Played:
    """An utterance left the line, whole or `interrupted` after `heard_ms` of `total_ms`."""

    call: int
    utterance_id: str
    heard_ms: int
    total_ms: int
    interrupted: bool


@dataclass(frozen=True, slots=True)
class HandedOver:
    """`joined`: callee and agent talk; the brain listens on in silence."""

    call: int
    joined: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Gone:
    """The call is over."""

    call: int


Report = Opened | PickedUp | KeyHeard | Played | HandedOver | Gone
