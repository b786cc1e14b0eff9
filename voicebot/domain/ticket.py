"""Ticket: something that a person must do for a debtor, with an owner and a day by which it is done."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class TicketKind(StrEnum):
    """Why a person is needed."""

    HARDSHIP = "hardship"
    DISPUTE = "dispute"
    COMPLAINT = "complaint"
    FRAUD = "fraud"
    VULNERABLE = "vulnerable"
    DANGER = "danger"
    BROKEN_PROMISE = "broken_promise"
    WRONG_NUMBER = "wrong_number"


class TicketState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class Decision(StrEnum):
    """How a ticket is closed: contact goes on, rests until a day, or the case is over."""

    RESUME = "resume"
    REST = "rest"
    CLOSE_CASE = "close_case"


@dataclass(frozen=True, slots=True)
class TicketRule:
    """How one kind is handled: for a `team` (a role of the console), within `due`, with the case resting meanwhile.

    `source` says where the time comes from. `lifts`: kinds of stops that end when contact is resumed.
    """

    kind: TicketKind
    team: str
    due: dt.timedelta
    suspends: bool
    source: str
    lifts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewTicket:
    """A ticket to open; without a case it is about a call alone."""

    kind: TicketKind
    case_id: str | None
    call_id: str | None
    text: str


@dataclass(frozen=True, slots=True)
class TicketNote:
    at: dt.datetime
    by: str
    text: str
    call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """`owner` is a user of the console. `level` counts how often it was handed up because it was late."""

    id: int
    kind: TicketKind
    state: TicketState
    team: str
    opened_at: dt.datetime
    deadline: dt.datetime
    case_id: str | None = None
    call_id: str | None = None
    owner: str | None = None
    debtor_name: str = ""
    level: int = 0
    closed_at: dt.datetime | None = None
    closed_by: str | None = None
    decision: Decision | None = None
    rest_until: dt.date | None = None
    notes: tuple[TicketNote, ...] = ()

    def late(self, now: dt.datetime) -> bool:
        return self.state is TicketState.OPEN and now > self.deadline
