"""Values: what stands in the {braces} of a sentence. There are two kinds, so that the types hold what the law asks:
OpenValues know no case and can name no debt; DebtValues are made from the proof that the debtor is listening."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from voicebot.dialog.promise import Pending, near_day
from voicebot.dialog.rendering import (
    addressed,
    asked_for,
    speakable,
    spoken_amount,
    spoken_date,
    spoken_digits,
    spoken_moment,
    spoken_number,
)
from voicebot.dialog.scope import own_value
from voicebot.dialog.script import Script, Type, Variable
from voicebot.dialog.state import DialogState, Identified
from voicebot.domain.case import INSTITUTION, Case, Debtor
from voicebot.domain.offers import Offers, last_day, offers_of

_amount = functools.lru_cache(maxsize=4096)(spoken_amount)
_date = functools.lru_cache(maxsize=4096)(spoken_date)
_digits = functools.lru_cache(maxsize=1024)(spoken_digits)
_speakable = functools.lru_cache(maxsize=4096)(speakable)


@dataclass(frozen=True, slots=True)
class OpenValues:
    """For anybody who may be listening. `own`: the script's own variables that tell nothing of the debt, spoken."""

    now: dt.datetime
    institution: str
    hotline: str
    debtor: Debtor | None
    callback_at: dt.datetime | None
    own: Mapping[str, str]

    def get(self, name: str) -> str:
        """The words for a name; "" for what may not be told or is not known."""
        if name in self.own:
            return self.own[name]
        reader = _OPEN.get(name)
        if reader is not None:
            return reader(self)
        person = _OF_PERSON.get(name)
        return person(self.debtor) if person is not None and self.debtor is not None else ""


@dataclass(frozen=True, slots=True)
class DebtValues:
    """For the debtor, who has proved to be it. `own`: all of the script's own variables, spoken."""

    proof: Identified
    open: OpenValues
    own: Mapping[str, str]
    pending: Pending
    offers: Offers
    horizon_days: int
    channel: str

    def get(self, name: str) -> str:
        """The words for a name; "" for what is not known."""
        if name in self.own:
            return self.own[name]
        reader = _OF_DEBT.get(name)
        return self.open.get(name) if reader is None else reader(self)

    @property
    def case(self) -> Case:
        return self.proof.case

    @property
    def today(self) -> dt.date:
        return self.open.now.date()

    def promised(self) -> int:
        return self.case.amount_fen if self.pending.amount_fen is None else self.pending.amount_fen


def open_values(script: Script, state: DialogState, now: dt.datetime) -> OpenValues:
    """What may be said to whoever answered."""
    case, extra = state.facts.case, state.facts.extra
    harmless = {name: variable for name, variable in script.variables.items() if name not in script.telling}
    return OpenValues(
        now,
        institution=_speakable(case.creditor.neutral_name) if case else extra.get("institution", INSTITUTION),
        hotline=_digits(case.creditor.hotline) if case else "",
        debtor=case.debtor if case else None,
        callback_at=state.callback_at,
        own=_own(harmless, state),
    )


def values_of(script: Script, state: DialogState, now: dt.datetime) -> OpenValues | DebtValues:
    """What may be said at this moment of a call: of the debt only with the proof that the state holds."""
    known = open_values(script, state, now)
    return known if state.identified is None else _debt_values(script, state, known, state.identified)


def _debt_values(script: Script, state: DialogState, known: OpenValues, proof: Identified) -> DebtValues:
    return DebtValues(
        proof,
        known,
        own=_own(script.variables, state),
        pending=state.pending,
        offers=offers_of(proof.case, state.facts.extra),
        horizon_days=script.policy.horizon_days,
        channel=script.nodes[state.node].channel,
    )


def _own(variables: Mapping[str, Variable], state: DialogState) -> dict[str, str]:
    found = {name: own_value(variable, state) for name, variable in variables.items()}
    return {name: "" if value is None else _SPOKEN[variables[name].type](value) for name, value in found.items()}


def _day(text: object) -> str:
    try:
        return _date(dt.date.fromisoformat(str(text)))
    except ValueError:
        return ""


def _part(values: DebtValues) -> str:
    offers = values.offers
    return _amount(-(-values.case.amount_fen // offers.parts)) if offers.instalments else ""


_SPOKEN: Mapping[Type, Callable[[Any], str]] = {
    Type.TEXT: lambda value: _speakable(str(value)),
    Type.AMOUNT: lambda value: _amount(int(value)),
    Type.DATE: _day,
    Type.NUMBER: lambda value: spoken_number(max(0, int(value))),
    Type.DAYS: lambda value: spoken_number(max(0, int(value))) + "天",
    Type.DIGITS: lambda value: _digits(str(value)),
}
_OPEN: Mapping[str, Callable[[OpenValues], str]] = {
    "today": lambda v: _date(v.now.date()),
    "callback_time": lambda v: spoken_moment(v.callback_at, v.now.date()) if v.callback_at else "",
    "institution": lambda v: v.institution,
    "hotline": lambda v: v.hotline,
}
_OF_PERSON: Mapping[str, Callable[[Debtor], str]] = {
    "name": lambda debtor: _speakable(debtor.name),
    "person": asked_for,
    "address": addressed,
}
_OF_DEBT: Mapping[str, Callable[[DebtValues], str]] = {
    "near_date": lambda v: _date(near_day(v.today)),
    "horizon_date": lambda v: _date(v.today + dt.timedelta(days=v.horizon_days)),
    "creditor": lambda v: _speakable(v.case.creditor.name),
    "product": lambda v: _speakable(v.case.product) or "服务",
    "amount": lambda v: _amount(v.case.amount_fen),
    "principal": lambda v: "" if v.case.principal_fen is None else _amount(v.case.principal_fen),
    "fees": lambda v: "" if v.case.fees_fen is None else _amount(v.case.fees_fen),
    "overdue": lambda v: spoken_number(v.case.overdue_days) + "天" if v.case.overdue_days > 0 else "",
    "promise_date": lambda v: _date(v.pending.date) if v.pending.date else "",
    "promise_amount": lambda v: _amount(v.promised()),
    "rest_amount": lambda v: _amount(max(0, v.case.amount_fen - v.promised())),
    "channel": lambda v: _speakable(v.channel),
    "offer_waiver": lambda v: _amount(v.offers.waive_fen) if v.offers.waiver else "",
    "offer_parts": lambda v: spoken_number(v.offers.parts) + "期" if v.offers.instalments else "",
    "offer_part": _part,
    "offer_until": lambda v: _date(last_day(v.today, v.offers)) if v.offers.extension else "",
}
