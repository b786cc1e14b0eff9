"""Follow values: promises, tickets, messages and webhooks as the REST API spells them."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, Field

from voicebot.console.follow_data import Due, PromiseDay
from voicebot.console.masking import name_shown
from voicebot.domain.event import Delivery, Webhook
from voicebot.domain.message import Message
from voicebot.domain.phone import mask_number
from voicebot.domain.ticket import Decision, Ticket


class PromiseOut(BaseModel):
    id: int
    case_id: str
    call_id: str | None
    debtor_name: str
    date: dt.date
    amount_fen: int
    paid_fen: int
    state: str
    confirmed: bool


class PromiseDayOut(BaseModel):
    """Amounts in fen."""

    date: dt.date
    promised_fen: int
    paid_fen: int
    broken_fen: int
    promises: list[PromiseOut]


class TicketNoteOut(BaseModel):
    at: dt.datetime
    by: str
    text: str
    call_id: str | None


class TicketOut(BaseModel):
    id: int
    kind: str
    state: str
    owner: str | None
    team: str
    case_id: str | None
    call_id: str | None
    opened_at: dt.datetime
    deadline: dt.datetime
    late: bool
    level: int
    decision: str | None
    rest_until: dt.date | None
    notes: list[TicketNoteOut]


class TicketNoteIn(BaseModel):
    text: str = Field(min_length=1, max_length=2000)


class TicketOwnerIn(BaseModel):
    owner: str = Field(min_length=1, max_length=64)


class TicketCloseIn(BaseModel):
    """`rest_until`: with decision rest, the day on which the case comes back; empty: when somebody resumes it."""

    decision: Decision
    text: str = Field(min_length=1, max_length=2000)
    rest_until: dt.date | Literal[""] | None = None


class MessageOut(BaseModel):
    id: int
    case_id: str
    channel: str
    kind: str
    to_masked: str
    state: str
    at: dt.datetime
    tries: int
    why: str
    rule: str | None
    instead_of: int | None


class ReceiptIn(BaseModel):
    """What became of a message (`key` as it was posted, or the gateway's own `id`), or what a reader answered."""

    key: str = ""
    id: str = ""
    state: Literal["delivered", "failed", "unsubscribed", ""] = ""
    why: str = Field(default="", max_length=300)
    channel: Literal["sms", "push", "email"] = "sms"
    from_: str = Field(default="", alias="from", max_length=200)
    text: str = Field(default="", max_length=2000)


class ReceiptOut(BaseModel):
    """`known` False: we have no such message. `stopped`: the reader gets nothing more."""

    known: bool = True
    stopped: bool = False


class WebhookIn(BaseModel):
    name: str = Field(max_length=40)
    url: str = Field(max_length=500)
    events: list[str] | str = []
    secret: str = Field(default="", max_length=200)


class WebhookOut(BaseModel):
    """`secret` is told only where the webhook was just saved."""

    name: str
    url: str
    events: list[str]
    active: bool
    created_at: dt.datetime
    secret: str | None = None


class DeliveryOut(BaseModel):
    id: int
    webhook: str
    event_id: str
    event: str
    state: str
    tries: int
    status: int | None
    why: str
    next_at: dt.datetime
    delivered_at: dt.datetime | None


class ReplayIn(BaseModel):
    """One delivery, all events since a time, or neither: all that were given up."""

    since: dt.datetime | None = None
    delivery_id: int | None = None


class CountOut(BaseModel):
    count: int


def day_out(day: PromiseDay) -> PromiseDayOut:
    return PromiseDayOut(
        date=day.day, promised_fen=day.promised_fen, paid_fen=day.paid_fen, broken_fen=day.broken_fen,
        promises=[_promise_out(due) for due in day.due],
    )  # fmt: skip


def _promise_out(due: Due) -> PromiseOut:
    promise = due.promise
    return PromiseOut(
        id=promise.id, case_id=promise.case_id, call_id=promise.call_id, debtor_name=name_shown(due.debtor_name),
        date=promise.date, amount_fen=promise.amount_fen, paid_fen=promise.paid_fen, state=promise.state.value,
        confirmed=promise.confirmed,
    )  # fmt: skip


def ticket_out(ticket: Ticket, now: dt.datetime) -> TicketOut:
    return TicketOut(
        id=ticket.id, kind=ticket.kind.value, state=ticket.state.value, owner=ticket.owner, team=ticket.team,
        case_id=ticket.case_id, call_id=ticket.call_id, opened_at=ticket.opened_at, deadline=ticket.deadline,
        late=ticket.late(now), level=ticket.level, decision=ticket.decision, rest_until=ticket.rest_until,
        notes=[TicketNoteOut(at=note.at, by=note.by, text=note.text, call_id=note.call_id) for note in ticket.notes],
    )  # fmt: skip


def message_out(message: Message) -> MessageOut:
    return MessageOut(
        id=message.id, case_id=message.case_id, channel=message.channel.value, kind=message.kind,
        to_masked=mask_address(message.to), state=message.state.value, at=message.sent_at or message.not_before,
        tries=message.tries, why=message.why, rule=message.rule, instead_of=message.instead_of,
    )  # fmt: skip


def webhook_out(webhook: Webhook, secret: bool = False) -> WebhookOut:
    return WebhookOut(
        name=webhook.name, url=webhook.url, events=[kind.value for kind in webhook.events], active=webhook.active,
        created_at=webhook.created_at, secret=webhook.secret if secret else None,
    )  # fmt: skip


def delivery_out(delivery: Delivery) -> DeliveryOut:
    return DeliveryOut(
        id=delivery.id, webhook=delivery.webhook, event_id=delivery.event.key, event=delivery.event.kind.value,
        state=delivery.state.value, tries=delivery.tries, status=delivery.status, why=delivery.why,
        next_at=delivery.next_at, delivered_at=delivery.delivered_at,
    )  # fmt: skip


def mask_address(address: str) -> str:
    """What is shown of where a message went."""
    name, at, domain = address.partition("@")
    if at and not address.startswith("sip"):
        return f"{name[:2]}***@{domain}"
    if address.startswith("+") or address.isdigit():
        return mask_number(address)
    return f"{address[:4]}***"
