"""Strategy: on which days of arrears who is reached by what means, in what words, at what hour, and what follows."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile

from voicebot.domain.campaign import Hours
from voicebot.domain.outcome import Disposition
from voicebot.domain.stage import Tone


class Means(StrEnum):
    CALL = "call"
    MESSAGE = "message"


class Hand(StrEnum):
    """Who makes a call."""

    BOT = "bot"
    HUMAN = "human"


class Order(StrEnum):
    """Whose calls come first: as they are due, or by risk."""

    DUE = "due"
    HARDEST = "hardest"
    EASIEST = "easiest"


@dataclass(frozen=True, slots=True)
class Step:
    """On each of `days` (of arrears; below 0: before the bill is due) a call with a script or a message by a template.

    `words` names the script or the template. Of a call, `hours` are when it may begin; a message leaves at their
    beginning. None: all day. `channels`: of a message, in order of preference; empty: the debtor's own. `otherwise`:
    the script of the call that is made where no channel reaches the debtor. `notice`: the template of the message that
    announces a call the same day. `tone`: the firmest that may be taken.
    """

    days: tuple[int, ...]
    means: Means
    words: str
    hours: Hours | None = None
    by: Hand = Hand.BOT
    tone: Tone | None = None
    channels: tuple[str, ...] = ()
    otherwise: str | None = None
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Then:
    """What is done `in_days` after a call: a step of its own."""

    means: Means
    words: str
    in_days: int
    by: Hand = Hand.BOT
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class AfterCall:
    """When a call ended as one of `outcomes`, `times` calls in a row: the risk goes up (+1) or down (-1), `then` …"""

    name: str
    outcomes: frozenset[Disposition]
    times: int = 1
    risk: int = 0
    then: Then | None = None


@dataclass(frozen=True, slots=True)
class Strategy:
    """`hold_out`: the share of cases (0 to 0.5) that nothing is done for, to compare the others with."""

    id: str
    title: str
    steps: tuple[Step, ...]
    hold_out: float = 0.0
    after: tuple[AfterCall, ...] = ()
    order: Order = Order.DUE

    def due(self, overdue_days: int) -> tuple[Step, ...]:
        """What is to be done on this day of arrears."""
        return tuple(step for step in self.steps if overdue_days in step.days)

    @property
    def days(self) -> tuple[int, ...]:
        """Every day on which something is done, in order."""
        return tuple(sorted({day for step in self.steps for day in step.days}))

    def holds_out(self, case_id: str) -> bool:
        """Whether nothing is done for this case; the same answer every day, and independent of other strategies."""
        digest = hashlib.sha256(f"{self.id}\0{case_id}".encode()).digest()
        return int.from_bytes(digest[:8], "big") < self.hold_out * 2**64

    def follows(self, outcomes: Sequence[Disposition]) -> AfterCall | None:
        """The first rule that the calls of a case, the latest first, have met just now."""
        for rule in self.after:
            run = len(list(takewhile(rule.outcomes.__contains__, outcomes)))
            if run and run % rule.times == 0:
                return rule
        return None

    def priority(self, risk: int | None) -> int:
        """What a case's calls are brought forward by (0 to 100), from its score; unscored ones lie in the middle."""
        if self.order is Order.DUE:
            return 0
        score = 50 if risk is None else risk
        return score if self.order is Order.HARDEST else 100 - score


def beginning(step: Step | Then, day: dt.date, zone: dt.tzinfo) -> dt.datetime:
    """When a step of this day may begin."""
    return dt.datetime.combine(day, step.hours[0] if step.hours else dt.time(), zone)
