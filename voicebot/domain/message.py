"""Message: a short text that we owe a debtor after a call, from the promise of it to its delivery."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class MessageKind(StrEnum):
    """Messages that the product plans by itself; strategies name further templates."""

    PROMISE_RECAP = "promise_recap"  # right after the call: what was agreed
    PROMISE_DUE = "promise_due"  # on the morning of the day


class MessageChannel(StrEnum):
    """By what means a message reaches its reader."""

    SMS = "sms"
    EMAIL = "email"
    WECHAT = "wechat"
    PUSH = "push"
    LETTER = "letter"


class MessageState(StrEnum):
    """waiting -> sending -> sent (the gateway has it) -> delivered.

    Else failed (nobody took it, or it came back), refused (by a rule), cancelled (no longer true), unsubscribed
    (the reader wants no more of it).
    """

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    UNSUBSCRIBED = "unsubscribed"


RECEIPTS = frozenset({MessageState.DELIVERED, MessageState.FAILED, MessageState.UNSUBSCRIBED})
"""What a gateway may tell of a message that it took."""

MOVES: Mapping[MessageState, frozenset[MessageState]] = MappingProxyType(
    {
        MessageState.WAITING: frozenset({MessageState.SENDING, MessageState.CANCELLED}),
        MessageState.SENDING: frozenset(
            {
                MessageState.SENDING,  # whoever leased it died
                MessageState.WAITING,
                MessageState.SENT,
                MessageState.REFUSED,
                MessageState.CANCELLED,
                *RECEIPTS,  # the receipt overtakes our own note that it was taken
            }
        ),
        MessageState.SENT: RECEIPTS,
        MessageState.DELIVERED: frozenset({MessageState.UNSUBSCRIBED}),
        MessageState.FAILED: frozenset({MessageState.UNSUBSCRIBED}),
    }
)
"""Which state may follow which; what is not listed is the end."""


def may_become(state: MessageState, next_state: MessageState) -> bool:
    """Whether a message in `state` can go over to `next_state`."""
    return next_state in MOVES.get(state, frozenset())


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """A message to write into the outbox: by the template `kind`, not before `not_before`, not after `expires_at`.

    `to` is the telephone number for SMS. `channels`: the first of them for which the debtor has an address is taken;
    empty: what the debtor prefers, else SMS.
    """

    kind: str
    to: str
    not_before: dt.datetime
    expires_at: dt.datetime
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the outbox. `kind` is its template, `to` the address in its channel (E.164 for SMS), `text` what
    was sent, empty until then. `tried`: channels that failed before; `instead_of`: the message it stands in for.

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
    channel: MessageChannel = MessageChannel.SMS
    delivered_at: dt.datetime | None = None
    instead_of: int | None = None
    tried: tuple[str, ...] = ()
