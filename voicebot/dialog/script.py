"""Call script: the nodes a conversation can be in, what is said there and where it goes next."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from voicebot.dialog.expression import Expression
from voicebot.domain.stage import FIRMEST, Stage, Tone
from voicebot.domain.understanding import Topic

EVERY_HANDLER = "all"
"""In `without:`: no global handler reaches into this node (a crisis has its own course)."""


class Kind(StrEnum):
    """What a node does: SAY and go on, ASK and listen, BRANCH, RECORD silently, fetch a person, end, leave a message.

    PROMISE and SCRIPT are written by people only: expansion.py makes plain nodes of them.
    """

    SAY = "say"
    ASK = "ask"
    BRANCH = "branch"
    RECORD = "record"
    PROMISE = "promise"
    SCRIPT = "script"
    TRANSFER = "transfer"
    HANG_UP = "hang_up"
    MESSAGE = "message"


class Verb(StrEnum):
    """Effects a node, branch or handler can have besides speaking."""

    DISPOSITION = "disposition"  # the outcome from here on
    DEFAULT_DISPOSITION = "default_disposition"  # the outcome unless there is one already
    CALLBACK = "callback"  # book a callback at the time named; the value is the reason
    CALLBACK_SOON = "callback_soon"  # book it two hours from now when no time was named (driving)
    CALLBACK_WEEK = "callback_week"  # book it a week from now when no time was named (mourning, hospital)
    STOP_CONTACT = "stop_contact"  # number or debtor
    PAGE_SUPERVISOR = "page_supervisor"  # the value is the reason
    TAKE_PROMISE = "take_promise"  # note date and amount of this utterance; `today` or `near` when it names no day
    DROP_PROMISE = "drop_promise"  # forget what was noted
    RECORD_PROMISE = "record_promise"  # confirmed or unconfirmed


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a script file; line and column count from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Prompt:
    """A sentence to speak when `when` holds; `{names}` are filled in from the call.

    `variants` say the same in other words; `gentle` and `firm` say it in another tone. `recorded` is the id of a
    recording of it. What is `must_hear` is said once more when the callee talked over it.
    """

    text: str
    where: Where
    when: Expression | None = None
    interruptible: bool = True
    variants: tuple[str, ...] = ()
    gentle: str = ""
    firm: str = ""
    recorded: str = ""
    must_hear: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        """Every wording that may be spoken."""
        return tuple(text for text in (self.text, *self.variants, self.gentle, self.firm) if text)


@dataclass(frozen=True, slots=True)
class Effect:
    verb: Verb
    value: str
    where: Where


@dataclass(frozen=True, slots=True)
class Branch:
    """Taken when any of `hears` was heard (or none is named) and `when` holds. `named`: those not meant by a family."""

    where: Where
    hears: tuple[str, ...] = ()
    when: Expression | None = None
    say: tuple[Prompt, ...] = ()
    do: tuple[Effect, ...] = ()
    goto: str | None = None
    goto_where: Where | None = None
    named: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.where.line}:{'|'.join(self.hears) or 'if'}"


@dataclass(frozen=True, slots=True)
class Node:
    """One place of the conversation. `gentle`: its own words are soft enough, no softener is put before them.

    `expects` and `slots` say what its answers are about, for the checker and the page; `barge_in` False: its words
    are spoken to their end. `channel` is where a promise will be paid.
    """

    id: str
    kind: Kind
    where: Where
    say: tuple[Prompt, ...] = ()
    do: tuple[Effect, ...] = ()
    goto: str | None = None
    topic: Topic = Topic.ANY
    patience_s: float = 6.0
    branches: tuple[Branch, ...] = ()
    again: tuple[Prompt, ...] = ()
    short: tuple[Prompt, ...] = ()
    no_input: tuple[Prompt, ...] = ()
    tries: int = 2
    exhausted: str | None = None
    silent: str | None = None
    without: tuple[str, ...] = ()
    gentle: bool = False
    silences: int | None = None
    skill: str = "general"
    reason: str = ""
    briefing: str = ""
    hold: str = ""
    urgent: bool = False
    failed: str | None = None
    expects: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()
    barge_in: bool = True
    tone: Tone | None = None
    channel: str = ""
    otherwise: tuple[Prompt, ...] = ()
    yes: str | None = None
    no: str | None = None
    changed: str | None = None
    soft: str | None = None
    script: str = ""
    exits_to: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Where] = field(default_factory=dict)

    def place(self, key: str) -> Where:
        """Where the value of `key` stands in the file."""
        return self.places.get(key, self.where)

    @property
    def exits(self) -> tuple[str, ...]:
        """Every node this one can lead to by itself, handlers aside."""
        named = (self.goto, self.exhausted, self.silent, self.failed, self.yes, self.no, self.changed, self.soft)
        return tuple(x for x in (*(b.goto for b in self.branches), *named) if x is not None)

    def hears(self, handler: str) -> bool:
        """False when this node turns a global handler off."""
        return handler not in self.without and EVERY_HANDLER not in self.without


@dataclass(frozen=True, slots=True)
class Handler:
    """Stands beside the whole flow: a `stop` handler leaves it, an answering one speaks and comes back."""

    name: str
    where: Where
    hears: tuple[str, ...] = ()
    when: Expression | None = None
    say: tuple[Prompt, ...] = ()
    do: tuple[Effect, ...] = ()
    goto: str | None = None
    goto_where: Where | None = None
    at_least: float = 0.0
    patience_s: float | None = None
    resume: bool = True

    @property
    def stops(self) -> bool:
        return self.goto is not None


NEUTRAL = "这件事需要和您本人核对，谢谢您的理解。"
"""Said in the place of anything that may not be said (yet)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Figures of a script: how sure an intent must be, how long a call may get, how far a promise may lie."""

    accept: float = 0.35
    floor: float = 0.2
    max_turns: int = 18
    horizon_days: int = 15
    longest_days: int = 31
    identity_tries: int = 2
    silences: int = 3


class Reach:
    """Handlers in their order, found by what was heard without looking at each of them."""

    def __init__(self, handlers: Sequence[Handler]) -> None:
        self._any = [(order, handler) for order, handler in enumerate(handlers) if not handler.hears]
        self._hearing: dict[str, list[tuple[int, Handler]]] = {}
        for order, handler in enumerate(handlers):
            for intent in dict.fromkeys(handler.hears):
                self._hearing.setdefault(intent, []).append((order, handler))

    def candidates(self, heard: Iterable[str]) -> list[tuple[int, Handler]]:
        """Those that may fit, in their order; one that hears several of the intents stands in it several times."""
        found = [*self._any]
        for intent in heard:
            found += self._hearing.get(intent, ())
        found.sort(key=_order)
        return found


_order = operator.itemgetter(0)


class Type(StrEnum):
    """How a variable of a script is read aloud, and compared in conditions."""

    TEXT = "text"
    AMOUNT = "amount"  # fen
    DATE = "date"
    NUMBER = "number"
    DAYS = "days"
    DIGITS = "digits"


@dataclass(frozen=True, slots=True)
class Variable:
    """A script's own variable: a constant `value`, or taken `source` (case.amount_fen, extra.shop …) of the call."""

    name: str
    type: Type
    where: Where
    value: str = ""
    source: str = ""

    @property
    def debt(self) -> bool:
        """Whether it may tell a stranger of the debt; a constant is judged by its words."""
        return self.source.startswith(("case.", "offers.", "extra."))


@dataclass(frozen=True, slots=True)
class Script:
    """A whole call script. `limit`, `silent` and `voicemail` name the nodes for calls that cannot go on."""

    id: str
    title: str
    version: str
    start: str
    limit: str
    silent: str
    voicemail: str
    nodes: Mapping[str, Node]
    handlers: tuple[Handler, ...]
    policy: Policy = field(default_factory=Policy)
    silence: tuple[Prompt, ...] = ()
    softeners: Mapping[str, Prompt] = field(default_factory=dict)
    neutral: str = NEUTRAL
    stage: Stage | None = None
    tone: Tone | None = None
    language: str = "zh-CN"
    voice: str = ""
    tone_where: Where | None = None
    variables: Mapping[str, Variable] = field(default_factory=dict)
    file: str = ""
    sha256: str = ""
    _listening: dict[str, tuple[Reach, Reach]] = field(default_factory=dict, repr=False, compare=False)

    def listening(self, node: str) -> tuple[Reach, Reach]:
        """The handlers that reach into a node: stop signals, and asides. Worked out once."""
        if node not in self._listening:
            reaching = [handler for handler in self.handlers if self.nodes[node].hears(handler.name)]
            stops = Reach([handler for handler in reaching if handler.stops])
            self._listening[node] = (stops, Reach([handler for handler in reaching if not handler.stops]))
        return self._listening[node]

    def firmness_of(self, tone: Tone | None) -> Tone:
        """The tone a node is spoken in: its own, else the script's, never firmer than the stage allows."""
        firmest = FIRMEST[self.stage] if self.stage else Tone.FORMAL
        wanted = self.tone if tone is None else tone
        return min(Tone.PLAIN if wanted is None else wanted, firmest)

    @property
    def telling(self) -> frozenset[str]:
        """The script's own variables that tell of the debt."""
        return frozenset(name for name, variable in self.variables.items() if variable.debt)

    def handler(self, name: str) -> Handler | None:
        return next((handler for handler in self.handlers if handler.name == name), None)
