"""Message: a short text that we owe a debtor after a call, from the promise of it to its delivery."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class MessageKind(StrEnum):
    """Messages that the product plans by itself; strategies name further templates."""

    PROMISE_RECAP = "promise_recap"  # right after the call: what was agreed
    PROMISE_DUE = "promise_due"  # on the morning of the day


class MessageState(StrEnum):
    """waiting -> sending -> sent (the gateway has it); or failed, refused (by a rule), cancelled (no longer true)."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """A message to write into the outbox: by the template `kind`, not before `not_before`, not after `expires_at`."""

    kind: str
    to: str
    not_before: dt.datetime
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the outbox. `kind` is its template, `to` E.164, `text` what was sent, empty until then.

    `promise_id`: it speaks of this promise and is dropped when that is kept, broken or replaced.
    `external_id` is the gateway's word for it; `why` and `rule` say what kept it from being sent.
    """

    id: int
    case_id: str
    kind: str
    to: str
    state: MessageState
    not_before: dt.datetime
    expires_at: dt.datetime
    created_at: dt.datetime
    call_id: str | None = None
    promise_id: int | None = None
    text: str = ""
    tries: int = 0
    external_id: str | None = None
    sent_at: dt.datetime | None = None
    rule: str | None = None
    why: str = ""
