"""Permission: the question of the store in the words of the rulebook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from voicebot.compliance import request as rules
from voicebot.compliance.pack import RulePack, load_pack
from voicebot.compliance.rulebook import Verdict, judge
from voicebot.domain.attempt import Caps, Consent, ContactStop, DialRequest, Judge


def judge_by(pack: RulePack | None = None) -> Judge:
    """The judge for Store.attempts.lease: the shipped rule pack, or `pack`."""
    rulebook = pack or load_pack()

    def ask(request: DialRequest, now: dt.datetime) -> Verdict:
        return judge(question(request, now), rulebook)

    return ask


def caps_of(pack: RulePack | None = None) -> Caps:
    """The ledger's limits, from the same pack."""
    rulebook = pack or load_pack()
    return Caps(
        attempts_per_number_day=rulebook.unanswered_per_number_per_day,
        conversations_per_debtor_day=rulebook.conversations_per_day,
        attempts_per_debtor_week=rulebook.attempts_per_rolling,
        conversations_per_debtor_week=rulebook.conversations_per_rolling,
    )


def question(request: DialRequest, now: dt.datetime) -> rules.DialRequest:
    """May this number be dialled at `now`? Everything known goes in, nothing is weighed here."""
    return rules.DialRequest(
        now=now,
        jurisdiction=request.case.jurisdiction,
        target_kind=request.target.value,
        number=request.number,
        history=tuple(
            rules.PastAttempt(past.at, past.number, rules.Result(past.reached.value)) for past in request.history
        ),
        stops=tuple(_stop(stop) for stop in request.stops),
        consents=tuple(_consent(consent) for consent in request.consents),
    )


def _stop(stop: ContactStop) -> rules.Stop:
    number = None if stop.debtor_id is not None else stop.number
    return rules.Stop(kind=stop.reason, number=number, at=stop.since, until=stop.until)


def _consent(consent: Consent) -> rules.Consent:
    until = consent.data.get("until")
    return rules.Consent(
        kind=consent.kind,
        band=_band(consent.data),
        until=None if until is None else dt.datetime.fromisoformat(str(until)),
    )


def _band(data: Mapping[str, object]) -> tuple[dt.time, dt.time] | None:
    """{"from": "07:00", "to": "09:00"}; without both the consent is a general one."""
    start, end = data.get("from"), data.get("to")
    if start is None or end is None:
        return None
    return dt.time.fromisoformat(str(start)), dt.time.fromisoformat(str(end))
