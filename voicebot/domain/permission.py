"""Permission: the one question that the rulebook is asked before a number is dialled, and its answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

Band = tuple[dt.time, dt.time]
"""Hours of the day, [from, to); over midnight where `to` is the earlier."""


class Reached(StrEnum):
    """How a past attempt ended. CONVERSATION: a person answered and spoke at least once."""

    CONVERSATION = "conversation"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    VOICEMAIL = "voicemail"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """One earlier attempt, to whatever number; `at` is aware. One still under way counts as a conversation."""

    at: dt.datetime
    number: str
    reached: Reached


@dataclass(frozen=True, slots=True)
class Stop:
    """A reason not to call: `number` None means every number; `band` limits it to hours of the day."""

    kind: str
    number: str | None = None
    at: dt.datetime | None = None
    until: dt.datetime | None = None
    band: Band | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the callee agreed to: `other_hours` (with the agreed `band`, or in general), `noon`, `holiday`, …"""

    kind: str
    band: Band | None = None
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class CallerId:
    """A number that we may show: who holds it, from when to when (both days included), and whether that was proved."""

    number: str
    holder: str
    valid_from: dt.date
    valid_to: dt.date | None = None
    verified_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Recorder:
    """The recorder as it last reported itself; `free_bytes` of the disk that recordings go to.

    `clock_off_s`: how far the clock that judges is from the database's.
    """

    alive_at: dt.datetime | None
    free_bytes: int
    clock_off_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Means:
    """What a call would be made with.

    `shown`: every number that the callee may see; empty where our side shows none. `registry`: all registered ones.
    `script_released`: the words are a published version.
    """

    recorder: Recorder
    shown: tuple[str, ...] = ()
    registry: tuple[CallerId, ...] = ()
    script_released: bool = False


@dataclass(frozen=True, slots=True)
class DialRequest:
    """May `number` (of a debtor, guarantor or contact) be dialled at `now`? Everything known goes in.

    `jurisdictions`: all whose law applies, the strictest wins; none known means no. `means` None: only law of hours,
    counts and persons is asked, not what the call would be made with. `script_says`: duties the words fulfil, as ids
    of rules. The ids say whom the question is about; no rule reads them but a creditor's own.
    """

    now: dt.datetime
    jurisdictions: tuple[str, ...]
    target_kind: str
    number: str
    history: tuple[PastAttempt, ...] = ()
    stops: tuple[Stop, ...] = ()
    consents: tuple[Agreement, ...] = ()
    debtor_unreachable: bool = False
    means: Means | None = None
    script_says: frozenset[str] = frozenset()
    creditor_id: str | None = None
    debtor_id: str | None = None
    case_id: str | None = None
    attempt_id: int | None = None
    script: str = ""


def jurisdictions(text: str | None) -> tuple[str, ...]:
    """'CN', or several joined by +: 'CN+US' for a debtor abroad."""
    return tuple(part.strip() for part in (text or "").split("+") if part.strip())


class DialVerdict(Protocol):
    """The rulebook's answer; `not_before` None with `allowed` False means never."""

    @property
    def allowed(self) -> bool: ...
    @property
    def rule(self) -> str | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def not_before(self) -> dt.datetime | None: ...
    @property
    def pack_sha256(self) -> str: ...


Judge = Callable[[DialRequest, dt.datetime], DialVerdict]
"""Decides about one request at one moment; pure."""
