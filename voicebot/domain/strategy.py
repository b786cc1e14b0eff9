"""Strategy: on which days of arrears who is reached by what means, in what words, at what hour."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from enum import StrEnum

from voicebot.domain.campaign import Hours


class Means(StrEnum):
    CALL = "call"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Step:
    """On each of `days` (of arrears; below 0: before the bill is due) a call with a script or a message by a template.

    `words` names the script or the template. Of a call, `hours` are when it may begin; a message leaves at their
    beginning. None: all day.
    """

    days: tuple[int, ...]
    means: Means
    words: str
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Strategy:
    """`hold_out`: the share of cases (0 to 0.5) that nothing is done for, to compare the others with."""

    id: str
    title: str
    steps: tuple[Step, ...]
    hold_out: float = 0.0

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


def beginning(step: Step, day: dt.date, zone: dt.tzinfo) -> dt.datetime:
    """When a step of this day may begin."""
    return dt.datetime.combine(day, step.hours[0] if step.hours else dt.time(), zone)
