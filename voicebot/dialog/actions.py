"""Actions: everything a dialog can ask of the call. The engine returns them in the order they must happen."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from voicebot.domain.case import Promise
from voicebot.domain.outcome import Disposition
from voicebot.domain.understanding import Topic


@dataclass(frozen=True, slots=True)
class Say:
    """Speak `text`. `utterance_id` is unique in the call; a Say that is not interruptible plays to its end.

    `recorded` is the id of a recording of exactly these words, if the script names one.
    """

    utterance_id: str
    text: str
    node: str
    interruptible: bool = True
    recorded: str = ""


@dataclass(frozen=True, slots=True)
class Listen:
    """Wait for the callee once all Say before it were spoken; Silence is due after `patience_s` of nothing."""

    node: str
    topic: Topic
    patience_s: float = 6.0


@dataclass(frozen=True, slots=True)
class Transfer:
    """Fetch a person. `briefing` is one sentence for the agent's ear alone; the callee hears `hold_text`."""

    node: str
    reason: str
    skill: str
    briefing: str
    hold_text: str
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call after everything said before it was spoken."""

    node: str


@dataclass(frozen=True, slots=True)
class SetDisposition:
    """The outcome so far; the last one stands."""

    disposition: Disposition
    why: str


@dataclass(frozen=True, slots=True)
class Verified:
    """The callee proved to be the debtor; from here on the debt may be named."""

    by: str


@dataclass(frozen=True, slots=True)
class RecordPromise:
    """A promise was made; a later one replaces it."""

    promise: Promise


@dataclass(frozen=True, slots=True)
class BookCallback:
    """Call again at `at`; None when the callee named no time."""

    at: dt.datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class StopContact:
    """No more automatic calls. `scope`: number or debtor; `reason` is the intent or rule that caused it."""

    scope: str
    reason: str


@dataclass(frozen=True, slots=True)
class PageSupervisor:
    """Call a supervisor at once (danger to self)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Explain:
    """Why the engine went where it went; kept in the journal so that every decision can be read later."""

    from_node: str
    to_node: str
    branch: str
    why: str


Action = (
    Say
    | Listen
    | Transfer
    | HangUp
    | SetDisposition
    | Verified
    | RecordPromise
    | BookCallback
    | StopContact
    | PageSupervisor
    | Explain
)
