"""Events: everything that can happen to a dialog. Values only; time comes in with the event."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from voicebot.domain.understanding import Understanding


@dataclass(frozen=True, slots=True)
class Started:
    """The callee answered (or called us) and the line is open."""

    now: dt.datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """The callee finished an utterance."""

    now: dt.datetime
    understanding: Understanding


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody spoke for the patience of the last Listen; `seconds` since the bot fell silent."""

    now: dt.datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """A telephone key: 0-9, * or #."""

    now: dt.datetime
    digit: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """A Say came to its end: `heard_ms` of `total_ms` left the line before it ended or was interrupted."""

    now: dt.datetime
    utterance_id: str
    heard_ms: int
    total_ms: int
    interrupted: bool


@dataclass(frozen=True, slots=True)
class MachineAnswered:
    """Not a person: `kind` is voicemail or announcement; `beep` when a voicemail's beep was heard."""

    now: dt.datetime
    kind: str
    beep: bool = False


@dataclass(frozen=True, slots=True)
class TransferEnded:
    """The hand-over is decided. `joined`: callee and agent talk to each other, the script is over."""

    now: dt.datetime
    joined: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class HungUp:
    """The callee hung up."""

    now: dt.datetime


Event = Started | Heard | Silence | KeyPressed | Spoken | MachineAnswered | TransferEnded | HungUp
