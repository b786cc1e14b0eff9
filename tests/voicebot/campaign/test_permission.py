"""Permission: what the store knows reaches the rulebook, whose answer then holds."""

from __future__ import annotations

import datetime as dt

import pytest

from voicebot.campaign.permission import caps_of, judge_by
from voicebot.domain.attempt import Consent, ContactStop, TargetKind
from voicebot.domain.permission import DialRequest, PastAttempt, Reached

from .samples import NOON, new_case

NEW = new_case(1)
NUMBER = NEW.numbers[0].number
DEBTOR = NEW.case.debtor.id
HOUR = dt.timedelta(hours=1)


def ask(now: dt.datetime = NOON, **known: object) -> tuple[bool, str | None]:
    kind = known.pop("target", TargetKind.DEBTOR)
    told = {name: tuple(getattr(each, "asked", each) for each in values) for name, values in known.items()}  # type: ignore[attr-defined]
    request = DialRequest(now, ("CN",), str(kind), NUMBER, **told)  # type: ignore[arg-type]
    verdict = judge_by()(request, now)
    assert len(verdict.pack_sha256) == 64
    return verdict.allowed, verdict.rule


def test_a_debtor_may_be_rung_on_a_weekday_morning() -> None:
    assert ask() == (True, None)


@pytest.mark.parametrize(
    ("known", "rule"),
    [
        ({"history": (PastAttempt(NOON - HOUR, NUMBER, Reached.NO_ANSWER),)}, "CN-F3"),
        ({"history": (PastAttempt(NOON - HOUR, NUMBER, Reached.CONVERSATION),)}, "CN-F1"),
        ({"stops": (ContactStop("do_not_call", NOON, debtor_id=DEBTOR),)}, "CN-D2"),
        ({"stops": (ContactStop("do_not_call", NOON, number=NUMBER),)}, "CN-D2"),
        ({"stops": (ContactStop("self_harm", NOON, debtor_id=DEBTOR),)}, "CN-D1"),
        ({"target": TargetKind.CONTACT}, "CN-C1"),
    ],
)
def test_what_is_known_forbids(known: dict[str, object], rule: str) -> None:
    assert ask(**known) == (False, rule)


def test_a_stop_for_another_number_does_not_forbid_this_one() -> None:
    assert ask(stops=(ContactStop("do_not_call", NOON, number="+8613900000000"),)) == (True, None)


def test_consent_to_other_hours_counts_within_its_hours() -> None:
    early = NOON.replace(hour=7, minute=30)
    agreed = Consent(DEBTOR, "other_hours", NOON, {"from": "07:00", "to": "08:00"})
    over = Consent(DEBTOR, "other_hours", NOON, {"from": "07:00", "to": "08:00", "until": "2026-01-01T00:00:00+08:00"})
    assert ask(early)[0] is False
    assert ask(early, consents=(agreed,)) == (True, None)
    assert ask(early, consents=(over,))[0] is False


def test_the_ledger_takes_its_caps_from_the_pack() -> None:
    caps = caps_of()
    assert (caps.conversations_per_debtor_day, caps.attempts_per_number_day) == (1, 3)
    assert (caps.conversations_per_debtor_week, caps.attempts_per_debtor_week) == (3, 7)
