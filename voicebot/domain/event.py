"""Event: what other systems are told of, once each, as it happens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class EventKind(StrEnum):
    """What a webhook can be told of; `data` never holds a name, a number or what was said."""

    CALL_OUTCOME = "call.outcome"
    PROMISE_MADE = "promise.made"
    PROMISE_KEPT = "promise.kept"
    PROMISE_PARTLY_KEPT = "promise.partly_kept"
    PROMISE_BROKEN = "promise.broken"
    PAYMENT_RECEIVED = "payment.received"
    CASE_CLOSED = "case.closed"
    COMPLAINT = "complaint"
    DANGER = "danger"
    TICKET_OPENED = "ticket.opened"
    TICKET_CLOSED = "ticket.closed"
    MESSAGE_STATE = "message.state"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Event:
    """`key` makes it one: the same key is told once, however often it is found out."""

    key: str
    kind: EventKind
    at: dt.datetime
    data: Mapping[str, object] = field(default_factory=dict)
    case_id: str | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is told of events; `events` empty: of all. `secret` signs what is sent."""

    name: str
    url: str
    secret: str
    created_at: dt.datetime
    events: tuple[EventKind, ...] = ()
    active: bool = True


class DeliveryState(StrEnum):
    """waiting -> sending -> delivered; dead: given up, until somebody has it sent again."""

    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one webhook. `status`: the last HTTP status, None when nobody answered."""

    id: int
    webhook: str
    event: Event
    state: DeliveryState
    tries: int
    next_at: dt.datetime
    status: int | None = None
    why: str = ""
    delivered_at: dt.datetime | None = None
