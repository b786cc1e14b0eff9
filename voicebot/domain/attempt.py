"""Attempt: one try to reach one number about one case, and what is known of whom it reaches."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from voicebot.domain.case import Case, Promise
from voicebot.domain.outcome import Disposition
from voicebot.domain.permission import Agreement, Reached, Stop


class TargetKind(StrEnum):
    """Who is expected at a number."""

    DEBTOR = "debtor"
    GUARANTOR = "guarantor"
    CONTACT = "contact"


class Purpose(StrEnum):
    """Why we ring."""

    REMINDER = "reminder"
    CALLBACK = "callback"
    PROMISE_EVE = "promise_eve"
    PROMISE_DAY = "promise_day"
    PROMISE_MISSED = "promise_missed"
    AGENT = "agent"  # a person rings; what follows is for them to say


class AttemptState(StrEnum):
    """waiting -> leased (counted, not dialled) -> placed (may ring) -> settled; or cancelled, or denied."""

    WAITING = "waiting"
    LEASED = "leased"
    PLACED = "placed"
    SETTLED = "settled"
    CANCELLED = "cancelled"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class ContactStop:
    """No automatic calls. Either to a number or to a debtor (all numbers); `until` None means for ever."""

    reason: str
    since: dt.datetime
    number: str | None = None
    debtor_id: str | None = None
    until: dt.datetime | None = None
    call_id: str | None = None
    id: int | None = None

    @property
    def asked(self) -> Stop:
        """As the rulebook is asked; a stop of a debtor is for all numbers."""
        number = None if self.debtor_id is not None else self.number
        return Stop(self.reason, number, self.since, self.until)


@dataclass(frozen=True, slots=True)
class Consent:
    """What a debtor agreed to, such as kind "other_hours"; `data` holds its particulars."""

    debtor_id: str
    kind: str
    given_at: dt.datetime
    data: dict[str, object] = field(default_factory=dict)
    call_id: str | None = None
    id: int | None = None

    @property
    def asked(self) -> Agreement | None:
        """As the rulebook is asked: {"from": "07:00", "to": "09:00"} are hours, with neither it is a general one.

        None where what was written down can't be read: nobody can have agreed to it.
        """
        start, end, until = (self.data.get(key) for key in ("from", "to", "until"))
        try:
            ends = None if until is None else dt.datetime.fromisoformat(str(until))
            if start is None and end is None:
                return Agreement(self.kind, None, ends)
            return Agreement(self.kind, (dt.time.fromisoformat(str(start)), dt.time.fromisoformat(str(end))), ends)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Caps:
    """Most attempts that the ledger lets through, whatever a judge says; days are civil days in Shanghai."""

    attempts_per_number_day: int = 3
    conversations_per_debtor_day: int = 1
    attempts_per_debtor_week: int = 7
    conversations_per_debtor_week: int = 3


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try as the database knows it. `tries` counts the attempts of this case in its campaign, from 1.

    The highest `priority` is dialled first. `shows`: which number of ours the callee sees; None: the trunk's choice.
    """

    id: int
    case: Case
    number: str
    target: TargetKind
    state: AttemptState
    not_before: dt.datetime
    purpose: Purpose = Purpose.REMINDER
    campaign_id: str | None = None
    script: str = "reminder"
    tries: int = 1
    leased_by: str | None = None
    lease_until: dt.datetime | None = None
    leased_at: dt.datetime | None = None
    settled_at: dt.datetime | None = None
    call_id: str | None = None
    disposition: Disposition | None = None
    why: str = ""
    rule: str | None = None
    priority: int = 0
    shows: str | None = None


URGENCY = {
    Purpose.CALLBACK: 300,
    Purpose.PROMISE_EVE: 100,
    Purpose.PROMISE_DAY: 100,
    Purpose.PROMISE_MISSED: 100,
}
"""What is added to a campaign's priority: what was agreed with a debtor comes before reminders."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a placed attempt. `talked_to` is True when the callee said at least one thing to us."""

    disposition: Disposition
    talked_to: bool = False
    why: str = ""
    call_id: str | None = None
    promise: Promise | None = None
    callback_at: dt.datetime | None = None
    callback_wanted: bool = False

    @property
    def reached(self) -> Reached:
        """The word of the rulebook's history; whoever was heard at all counts as a conversation."""
        if self.talked_to:
            return Reached.CONVERSATION
        return _REACHED.get(self.disposition, Reached.CONVERSATION)


@dataclass(frozen=True, slots=True)
class NextAttempt:
    """A further try, written in the same transaction that settles the one before.

    `number` and `script` None: the same as before.
    """

    at: dt.datetime
    purpose: Purpose = Purpose.REMINDER
    number: str | None = None
    script: str | None = None


_REACHED = {
    Disposition.NO_ANSWER: Reached.NO_ANSWER,
    Disposition.UNREACHABLE: Reached.NO_ANSWER,
    Disposition.FAILED: Reached.NO_ANSWER,
    Disposition.NO_INPUT: Reached.NO_ANSWER,
    Disposition.BUSY: Reached.BUSY,
    Disposition.REJECTED: Reached.REJECTED,
    Disposition.VOICEMAIL: Reached.VOICEMAIL,
}
