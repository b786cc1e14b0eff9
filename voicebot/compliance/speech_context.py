"""SpeechContext: who listens and what the case record says, so that a sentence can be held against the facts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from voicebot.domain.case import Case, Promise


class SpeechContextError(ValueError):
    """The context of a sentence is malformed; the message names the field."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A reduction that was really granted, good until the end of `valid_until`."""

    waive_fen: int
    valid_until: dt.date


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """What may be asserted of a case; None and False mean no record, so it may not be said."""

    amount_fen: int
    overdue_days: int
    lawsuit_filed: bool = False
    credit_reported: bool = False
    visit_scheduled: bool = False
    offer: Offer | None = None
    last_promise: Promise | None = None
    daily_interest_fen: int | None = None
    entrusted: bool = True
    principal_fen: int | None = None
    fees_fen: int | None = None


@dataclass(frozen=True, slots=True)
class SpeechContext:
    """`listener`: debtor, third_party, voicemail or unknown. Without a case only disclosure and wording are judged.

    `names` (of people and institutions) are never read as wording, whatever characters they are written with;
    `secrets` (the product) likewise, once the debt may be spoken of; before that they disclose it.
    """

    identity_verified: bool
    listener: str
    today: dt.date
    case: CaseRecord | None = None
    names: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    @property
    def may_disclose(self) -> bool:
        return self.identity_verified and self.listener == "debtor"


def record_of(case: Case, *, last_promise: Promise | None = None, offer: Offer | None = None) -> CaseRecord:
    """The record of a live case."""
    return CaseRecord(
        amount_fen=case.amount_fen,
        overdue_days=case.overdue_days,
        lawsuit_filed=case.lawsuit_filed,
        credit_reported=case.credit_reported,
        visit_scheduled=case.visit_scheduled,
        offer=offer,
        last_promise=last_promise,
        entrusted=case.entrusted,
        principal_fen=case.principal_fen,
        fees_fen=case.fees_fen,
    )


def parse_context(row: object) -> SpeechContext:
    """Read the `context` of a row of `voicebot speech check`. SpeechContextError names what is missing."""
    if not isinstance(row, Mapping):
        raise SpeechContextError("context: an object is needed")
    try:
        case = row.get("case")
        return SpeechContext(
            identity_verified=row.get("identity_verified") is True,
            listener=str(row.get("listener", "unknown")),
            today=dt.date.fromisoformat(row["today"]),
            case=_case(case) if case is not None else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SpeechContextError(f"context: {type(error).__name__} {error}") from error


def _case(row: Mapping[str, object]) -> CaseRecord:
    offer, promise, interest = row.get("offer"), row.get("last_promise"), row.get("daily_interest_fen")
    return CaseRecord(
        amount_fen=_integer(row["amount_fen"]),
        overdue_days=_integer(row["overdue_days"]),
        lawsuit_filed=row.get("lawsuit_filed") is True,
        credit_reported=row.get("credit_reported") is True,
        visit_scheduled=row.get("visit_scheduled") is True,
        offer=_offer(offer) if isinstance(offer, Mapping) else None,
        last_promise=_promise(promise) if isinstance(promise, Mapping) else None,
        daily_interest_fen=None if interest is None else _integer(interest),
        entrusted=row.get("entrusted") is not False,
    )


def _offer(row: Mapping[str, object]) -> Offer:
    return Offer(_integer(row["waive_fen"]), dt.date.fromisoformat(str(row["valid_until"])))


def _promise(row: Mapping[str, object]) -> Promise:
    return Promise(dt.date.fromisoformat(str(row["date"])), _integer(row["amount_fen"]))


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not an integer")
    return value
