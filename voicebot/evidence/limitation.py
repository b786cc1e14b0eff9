"""Events that interrupt the limitation period, read from a call's journal as structured facts.

Civil Code art. 195: a demand that reaches the debtor, and what the debtor agrees to (a promise, part payment, a wish
for more time or instalments), interrupt the period of three years (art. 188), which begins again (Supreme People's
Court on limitation, arts 8 and 14). Whether a court sees it so is for the court; here is what happened, and where it
is heard.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from voicebot.domain.clock import SHANGHAI
from voicebot.domain.journal import Fact, FactKind

PERIOD_YEARS = 3


class LimitationKind(StrEnum):
    """What interrupts the period."""

    DEMAND = "demand"  # the claim was stated to the debtor, whose identity had been proved
    PROMISE = "promise"
    PART_PAYMENT = "part_payment"
    EXTENSION_REQUEST = "extension_request"  # more time, instalments, a repayment plan


@dataclass(frozen=True, slots=True)
class LimitationEvent:
    """One event. `expires` is the day on which the period would now end; `identity` how the debtor was known."""

    kind: LimitationKind
    at: str
    """ISO 8601, UTC."""
    identity: str | None
    audio_ms: int
    """Where in the recording."""
    words: str
    expires: str
    """YYYY-MM-DD."""
    amount_fen: int | None = None
    date: str | None = None


PART = frozenset({"pay_partial", "pay_minimum", "pay_partial_paid"})
MORE_TIME = frozenset({"pay_installment", "pay_extend"})
"""Intents by which a debtor acknowledges the debt without promising a day."""


def limitation_events(facts: Iterable[Fact]) -> list[LimitationEvent]:
    """Events in order. Nothing said before the debtor's identity was proved counts."""
    found: list[LimitationEvent] = []
    identity: str | None = None
    words, demanded = "", False
    for fact in facts:
        if fact.kind is FactKind.VERIFIED:
            identity = str(fact.data.get("by"))
        elif fact.kind is FactKind.HEARD:
            words = str(fact.data.get("text", ""))
        elif identity is None:
            continue
        elif fact.kind is FactKind.SAID and not demanded and _states_claim(fact.data):
            demanded = True
            found.append(_event(LimitationKind.DEMAND, fact, identity, str(fact.data.get("text", ""))))
        elif fact.kind is FactKind.PROMISED:
            found.append(_event(LimitationKind.PROMISE, fact, identity, words))
        elif fact.kind is FactKind.UNDERSTOOD:
            kind = _asked(fact.data)
            if kind is not None and all(one.kind is not kind for one in found):
                found.append(_event(kind, fact, identity, words))
    return found


def _states_claim(data: Mapping[str, object]) -> bool:
    """A sentence with the amount that was heard, and not cut short before its end."""
    text = str(data.get("text", ""))
    return bool(data.get("heard_ms")) and not data.get("interrupted") and "元" in text


def _asked(data: Mapping[str, object]) -> LimitationKind | None:
    intents = data.get("intents")
    best = intents[0] if isinstance(intents, list) and intents else {}
    name = str(best.get("id")) if isinstance(best, Mapping) else ""
    if name in PART:
        return LimitationKind.PART_PAYMENT
    return LimitationKind.EXTENSION_REQUEST if name in MORE_TIME else None


def _event(kind: LimitationKind, fact: Fact, identity: str, words: str) -> LimitationEvent:
    amount, date = fact.data.get("amount_fen"), fact.data.get("date")
    return LimitationEvent(
        kind, fact.at, identity, fact.ms, words, _three_years_on(fact.at),
        amount if isinstance(amount, int) else None, str(date) if date else None,
    )  # fmt: skip


def _three_years_on(at: str) -> str:
    """The same day three years later in Shanghai; of a 29 February the 28th."""
    day = dt.datetime.fromisoformat(at).astimezone(SHANGHAI).date()
    try:
        return day.replace(year=day.year + PERIOD_YEARS).isoformat()
    except ValueError:
        return day.replace(year=day.year + PERIOD_YEARS, day=28).isoformat()
