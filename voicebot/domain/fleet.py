"""Fleet: what workers and controls say of themselves every second, and what the others see of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

DEAD_AFTER_S = 7.0
"""A worker that was not heard of for so long is taken for dead, and its calls are resolved without it."""
HOLDS_S = 4.0
"""A worker that did not reach the database for so long begins no call: it may be taken for dead any moment."""
SKEW_WARNS_S = 2.0
"""A clock that is further from the database's than that is shown as wrong."""
SKEW_STOPS_S = 30.0
"""A clock that is further off judges hours and counts no more: nothing is dialled by it."""


class WorkerState(StrEnum):
    UP = "up"
    DRAINING = "draining"
    LEFT = "left"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Joining:
    """A worker that begins. `home` is the same in every life of one VOICEBOT_HOME, `life` in one start of it.

    `sip`: host:port where the other workers reach it; "" where they can't.
    """

    name: str
    machine: str
    home: str
    life: str
    version: str
    schema: str
    sip: str = ""


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life. `most`: calls at once at most; `skew_ms`: how far our clock is before the database's.

    `figures`: see LineFigures.
    """

    calls: int = 0
    most: int = 0
    may_dial: bool = True
    skew_ms: int = 0
    figures: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """What the database says to a sign of life: its time, and whether the worker shall drain."""

    at: dt.datetime
    drain: bool = False


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A worker as others see it; `age_s` since its last sign of life, by the database's clock."""

    name: str
    machine: str
    state: WorkerState
    epoch: int
    version: str
    schema: str
    sip: str
    joined_at: dt.datetime
    seen_at: dt.datetime
    age_s: float
    calls: int
    most: int
    may_dial: bool
    drain: bool
    drain_by: str
    skew_ms: int
    figures: Mapping[str, object] = field(default_factory=dict)

    @property
    def living(self) -> bool:
        return self.state in (WorkerState.UP, WorkerState.DRAINING)

    @property
    def drained(self) -> bool:
        """Nothing runs on it and nothing will begin: it can be stopped."""
        return self.state is WorkerState.LEFT or (self.state is WorkerState.DRAINING and self.calls == 0)


@dataclass(frozen=True, slots=True)
class ControlSeen:
    """A control process; one leads, the others stand by."""

    name: str
    version: str
    schema: str
    http: str
    leads: bool
    seen_at: dt.datetime
    age_s: float
    skew_ms: int

    @property
    def living(self) -> bool:
        return self.age_s < DEAD_AFTER_S
