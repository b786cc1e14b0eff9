"""Records: what the database tells the console about calls, promises, people and commands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from voicebot.domain.attempt import TargetKind
from voicebot.domain.case import Address, Case, Instalment
from voicebot.domain.journal import Fact


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call. `bundle` is a path relative to the recordings folder; `emotion` counts turns by label.

    `lost`: its worker is gone, and nobody knows how it ended.
    """

    id: str
    direction: str
    number: str
    started_at: dt.datetime
    case_id: str | None = None
    attempt_id: int | None = None
    campaign_id: str | None = None
    debtor_name: str | None = None
    worker: str | None = None
    answered_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    duration_ms: int | None = None
    disposition: str | None = None
    why: str = ""
    bundle: str | None = None
    handoff: bool = False
    verified: bool = False
    script: str | None = None
    script_sha256: str | None = None
    emotion: Mapping[str, int] = field(default_factory=dict)
    lost: bool = False

    @property
    def running(self) -> bool:
        return self.ended_at is None


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls to list; None does not restrict.

    `text` is sought in names, numbers, ids and in what was said.
    """

    text: str | None = None
    disposition: str | None = None
    case_id: str | None = None
    campaign_id: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    handoff: bool | None = None


class PromiseState(StrEnum):
    OPEN = "open"
    KEPT = "kept"
    PARTLY_KEPT = "partly_kept"
    BROKEN = "broken"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class PromiseRecord:
    id: int
    case_id: str
    call_id: str | None
    date: dt.date
    amount_fen: int
    confirmed: bool
    state: PromiseState
    made_at: dt.datetime
    channel: str | None = None
    paid_fen: int = 0
    settled_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """Somebody asked to be called; `at` None when no time was named."""

    id: int
    case_id: str | None
    call_id: str | None
    number: str
    at: dt.datetime | None
    reason: str
    booked_at: dt.datetime
    done_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A way to reach a debtor: E.164 or a `sip:` URI. `rank` 0 is tried first.

    `name`, `relation`: whose it is when it is not the debtor's own. `place`, `carrier`: of the number's range.
    """

    number: str
    kind: TargetKind = TargetKind.DEBTOR
    rank: int = 0
    valid: bool = True
    name: str = ""
    relation: str = ""
    place: str = ""
    carrier: str = ""


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """A case with the ways to reach its debtor, for lists and the case page.

    `billed_fen`: what the creditor's file said; `case.amount_fen` is what is outstanding. `traits` and `loan` by the
    ids of voicebot/cases/data/case_fields.yaml. Addresses and instalments are read for the case page alone.
    """

    case: Case
    numbers: tuple[Number, ...]
    status: str
    updated_at: dt.datetime
    attempts: int = 0
    last_disposition: str | None = None
    last_call_at: dt.datetime | None = None
    billed_fen: int = 0
    region: str = ""
    traits: Mapping[str, object] = field(default_factory=dict)
    loan: Mapping[str, object] = field(default_factory=dict)
    addresses: tuple[Address, ...] = ()
    instalments: tuple[Instalment, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """A person who takes warm transfers. `presence` is one of ready, busy, wrap_up, away, offline.

    `call_id`: the call they are reserved for while busy. `languages` empty: Mandarin alone. After a call they
    write for `after_call_s`, until `wrap_until`. `device`: phone or browser. `note`: why they are away. `via`: the
    worker whose line reaches their telephone; None: every line does.
    """

    id: str
    name: str
    sip_uri: str
    skills: tuple[str, ...] = ()
    presence: str = "offline"
    presence_at: dt.datetime | None = None
    call_id: str | None = None
    languages: tuple[str, ...] = ()
    after_call_s: int = 30
    wrap_until: dt.datetime | None = None
    device: str = "phone"
    note: str = ""
    via: str | None = None


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """A call that waits for a person since `since`. `agent_id`: whom the debtor knows; `tried`: who was rung.

    `seen_at`: when its line last said that it still waits.
    """

    call_id: str
    skill: str
    reason: str
    since: dt.datetime
    language: str = "zh"
    urgent: bool = False
    agent_id: str | None = None
    tried: tuple[str, ...] = ()
    seen_at: dt.datetime | None = None


class AlertKind(StrEnum):
    """What a supervisor must see now."""

    DANGER = "danger"
    GATE = "gate"
    WAITING_LONG = "waiting_long"
    TRANSFER_FAILED = "transfer_failed"
    TRUNK_DOWN = "trunk_down"
    BREAKER_OPEN = "breaker_open"
    BRAIN_LOST = "brain_lost"
    WORKER_LOST = "worker_lost"
    CLOCK_WRONG = "clock_wrong"
    DISK_FULL = "disk_full"
    TICKET_LATE = "ticket_late"


@dataclass(frozen=True, slots=True)
class Alert:
    """It stays until somebody acknowledged it."""

    id: int
    at: dt.datetime
    kind: AlertKind
    text: str
    call_id: str | None = None
    agent_id: str | None = None
    acknowledged_by: str | None = None
    acknowledged_at: dt.datetime | None = None


class Role(StrEnum):
    """What a console user is; what each may do are rows of the table `permissions`."""

    ADMIN = "admin"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    REVIEWER = "reviewer"
    AGENT = "agent"
    DESIGNER = "designer"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class User:
    """A console user, never with the password hash."""

    username: str
    role: Role
    display_name: str
    created_at: dt.datetime
    disabled: bool = False
    locked_until: dt.datetime | None = None
    agent_id: str | None = None
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class LiveFact:
    """A journal fact as it reaches the console."""

    call_id: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class Command:
    """An order, taken once: `dial` to a worker (call id "@worker"), all others to the worker of a running call."""

    id: int
    call_id: str
    verb: str
    payload: Mapping[str, object]
    issued_by: str
    issued_at: dt.datetime


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day's calls in figures; promises are those made on that day."""

    calls: int
    answered: int
    talked: int
    handoffs: int
    promises: int
    promised_fen: int
    dispositions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LoadFigures:
    """What runs and waits at one moment; `agents` by presence."""

    calls_running: int
    attempts_due: int
    attempts_later: int
    agents: Mapping[str, int]
