"""Payment: money that reached the creditor, and what it does to a case and to what was promised."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from voicebot.domain.records import PromiseState


@dataclass(frozen=True, slots=True)
class Payment:
    """Money for a case. `external_id` is the payer's reference: the same one twice is one payment.

    `source`: file, rest or hand. `paid_on`: the day on which the creditor had the money.
    """

    case_id: str
    amount_fen: int
    paid_on: dt.date
    external_id: str
    source: str = "file"
    channel: str = ""

    def __post_init__(self) -> None:
        if self.amount_fen <= 0:
            raise ValueError(f"payment {self.external_id}: the amount must be above zero, not {self.amount_fen} fen")
        if not self.external_id.strip():
            raise ValueError("a payment needs a reference of its own, so that it is not counted twice")


@dataclass(frozen=True, slots=True)
class Settlement:
    """What came of a payment. `new` False: it was known before and nothing changed.

    `left_fen`: what the case still owes. `promise_id`: the promise it counted for first, if there is one.
    """

    case_id: str
    new: bool
    left_fen: int
    closed: bool = False
    promise_id: int | None = None
    promise_state: PromiseState | None = None


@dataclass(frozen=True, slots=True)
class PromiseTerms:
    """When a promise counts as kept. Shares are of the promised amount, 0 to 1.

    Money that comes up to `grace_days` after the day still counts; from `kept_share` on the promise is kept, from
    `partly_share` on it is partly kept once the days of grace are over.
    """

    grace_days: int = 1
    kept_share: float = 1.0
    partly_share: float = 0.3


def promise_state(promised_fen: int, paid_fen: int, day: dt.date, today: dt.date, terms: PromiseTerms) -> PromiseState:
    """What a standing promise for `day` is today, with `paid_fen` paid for it."""
    if paid_fen >= promised_fen * terms.kept_share:
        return PromiseState.KEPT
    if today <= day + dt.timedelta(days=terms.grace_days):
        return PromiseState.OPEN
    partly = paid_fen > 0 and paid_fen >= promised_fen * terms.partly_share
    return PromiseState.PARTLY_KEPT if partly else PromiseState.BROKEN
