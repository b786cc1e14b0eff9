"""Case and debtor: whom we may talk to about which bill."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

INSTITUTION = "客户服务中心"
"""What we call ourselves to somebody whose case, and so whose creditor, is not known."""


class Salutation(StrEnum):
    """How a callee is addressed; UNKNOWN is spoken without a title."""

    MR = "mr"
    MS = "ms"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Debtor:
    """A person. `id_last4` (last four characters of the identity card) and `birth_mmdd` serve identity checks."""

    id: str
    name: str
    salutation: Salutation = Salutation.UNKNOWN
    id_last4: str | None = None
    birth_mmdd: str | None = None


@dataclass(frozen=True, slots=True)
class Creditor:
    """The lender on whose behalf we call; `neutral_name` is what may be said before identity is verified."""

    id: str
    name: str
    neutral_name: str
    hotline: str


@dataclass(frozen=True, slots=True)
class Case:
    """One overdue bill. Amounts in fen; `amount_fen` is the total due on `as_of`."""

    id: str
    debtor: Debtor
    creditor: Creditor
    product: str
    amount_fen: int
    overdue_days: int
    as_of: dt.date
    principal_fen: int | None = None
    fees_fen: int | None = None
    lawsuit_filed: bool = False
    credit_reported: bool = False
    visit_scheduled: bool = False
    entrusted: bool = True
    jurisdiction: str = "CN"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a debtor is written to other than by SMS; `channel` is email, wechat, push or letter."""

    channel: str
    address: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Instalment:
    """An overdue part of a loan: the `number`-th, `amount_fen` of it, due on a day."""

    number: int
    due_on: dt.date
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Promise:
    """What the debtor promised: pay `amount_fen` by `date`. `confirmed` means read back and confirmed."""

    date: dt.date
    amount_fen: int
    confirmed: bool = False
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class CallFacts:
    """Everything a call script may know of the call it conducts. `case` is None for an unmatched inbound call.

    `extra["institution"]`: what we call ourselves where there is no case.
    """

    call_id: str
    started_at: dt.datetime
    case: Case | None
    number: str = ""
    direction: str = "outbound"
    agent_available: bool = True
    extra: dict[str, str] = field(default_factory=dict)
