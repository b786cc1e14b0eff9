"""Stops: why a callee may not be rung any more, in the words of the rulebook. Pure.

A call's journal gives the intent (or script node) that was on the callee's lips; the rulebook knows kinds of stops.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType

from voicebot.call.outcome import CallOutcome, Stop
from voicebot.domain.attempt import ContactStop
from voicebot.domain.outcome import Disposition

SELF_HARM = "self_harm"
CONTACT_REFUSED = "contact_refused"

_BY_REASON: Mapping[str, str] = MappingProxyType(
    {
        "dnc_stop": "do_not_call",
        "tp_stop": "do_not_call",
        "tp_relay_no": CONTACT_REFUSED,
        "tp_deceased": "deceased",
        "tp_detained": "in_custody",
        "tp_missing": "incapacity",
        "tp_minor": "minor",
        "vu_selfharm_explicit": SELF_HARM,
        "vu_selfharm_veiled": SELF_HARM,
        "vu_mental": "vulnerable",
        "vu_elder": "vulnerable",
        "vu_disability": "vulnerable",
        "vu_violence": "vulnerable",
        "dp_id_theft": "identity_theft",
        "dp_lawsuit": "litigation",
        "dp_negotiated": "negotiated",
        "dp_not_mine": "dispute",
        "dp_lent_out": "dispute",
        "dp_amount": "dispute",
        "dp_interest": "dispute",
        "dp_service": "dispute",
        "dp_no_overdue": "dispute",
        "dp_limitation": "dispute",
        "pay_already_paid": "dispute",
        "pay_in_progress": "dispute",
        "hs_illness_self": "hospital",
        "hs_family_ill": "vulnerable",
        "hs_multi_debt": "vulnerable",
        "cp_regulator": "complaint",
        "cp_police": "complaint",
        "cp_privacy": "complaint",
        "cp_agent": "complaint",
        "cp_frequency": "complaint",
    }
)
"""Intents that tell the kind by themselves."""

_BY_DISPOSITION: Mapping[Disposition, str] = MappingProxyType(
    {
        Disposition.DO_NOT_CALL: "do_not_call",
        Disposition.WRONG_NUMBER: "do_not_call",
        Disposition.VULNERABLE: "vulnerable",
        Disposition.HARDSHIP: "vulnerable",
        Disposition.DISPUTE: "dispute",
        Disposition.ALREADY_PAID: "dispute",
        Disposition.COMPLAINT: "complaint",
        Disposition.THIRD_PARTY: "incapacity",
    }
)
"""For any other word: a script may stop contact whatever was heard last, and the call's outcome says what it was about.

The debtor of a call that ended with somebody else is dead or out of reach: only a person lifts that.
"""


def stop_kind(stop: Stop, outcome: CallOutcome) -> str:
    """The rulebook's kind; a reason nobody knows stays as it is, which the rulebook holds until a person clears it."""
    by_debtor = stop.scope != "number"
    if by_debtor and outcome.paged:
        return SELF_HARM  # a supervisor was called: never softened by what was said beside it
    kind = _BY_REASON.get(stop.reason)
    if kind is not None and not (by_debtor and kind == CONTACT_REFUSED):  # which holds for numbers and contacts only
        return kind
    if not by_debtor and outcome.disposition is Disposition.THIRD_PARTY:
        return CONTACT_REFUSED
    if not by_debtor and outcome.disposition is Disposition.VOICEMAIL:
        return "do_not_call"  # a switchboard: nobody's own number
    return _BY_DISPOSITION.get(outcome.disposition, stop.reason)


_WRITTEN = frozenset(_BY_DISPOSITION) - {Disposition.THIRD_PARTY}


def stop_after(disposition: Disposition) -> str | None:
    """The kind of stop when a person wrote that a call ended so; None when contact goes on.

    A person who reached somebody else writes no more than that: nobody is dead or gone because of it.
    """
    return _BY_DISPOSITION[disposition] if disposition in _WRITTEN else None


def contact_stops(
    outcome: CallOutcome, number: str, debtor_id: str | None, call_id: str, now: dt.datetime
) -> tuple[ContactStop, ...]:
    """The stops that a call asks for; to the number where its debtor is not known."""
    return tuple(
        ContactStop(stop_kind(stop, outcome), now, number=number, call_id=call_id)
        if stop.scope == "number" or debtor_id is None
        else ContactStop(stop_kind(stop, outcome), now, debtor_id=debtor_id, call_id=call_id)
        for stop in outcome.stops
    )
