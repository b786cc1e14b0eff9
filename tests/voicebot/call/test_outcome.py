"""The outcome of a call is read from its journal alone."""

from __future__ import annotations

import datetime as dt

import pytest

from voicebot.call.outcome import outcome_of
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.outcome import Disposition


def facts(*entries: tuple[FactKind, dict[str, object]], step_ms: int = 1000) -> list[Fact]:
    return [
        Fact(seq, "2026-11-24T02:00:00Z", seq * step_ms, kind, data) for seq, (kind, data) in enumerate(entries)
    ]


@pytest.mark.parametrize(
    ("status", "q850", "expected"),
    [
        (486, None, Disposition.BUSY),
        (404, None, Disposition.UNREACHABLE),
        (480, None, Disposition.NO_ANSWER),
        (603, None, Disposition.REJECTED),
        (487, None, Disposition.NO_ANSWER),
        (500, None, Disposition.FAILED),
        (480, 1, Disposition.UNREACHABLE),
        (None, None, Disposition.FAILED),
    ],
)
def test_nobody_picked_up(status: int | None, q850: int | None, expected: Disposition) -> None:
    ended = {"by": "remote", "status": status, "reason": "", "q850": q850}
    outcome = outcome_of(facts((FactKind.DIALLED, {}), (FactKind.ENDED, ended)))
    assert outcome.disposition is expected
    assert not outcome.answered and outcome.talk_ms == 0


@pytest.mark.parametrize(("cue", "expected"), [("empty_number", "unreachable"), ("busy", "busy")])
def test_the_announcement_beats_the_status(cue: str, expected: str) -> None:
    outcome = outcome_of(
        facts(
            (FactKind.EARLY_MEDIA, {}),
            (FactKind.ANSWERED_BY, {"kind": "announcement", "cue": cue}),
            (FactKind.ENDED, {"by": "local", "status": 487, "reason": "", "q850": None}),
        )
    )
    assert outcome.disposition == expected


@pytest.mark.parametrize(
    ("told", "verified", "expected"),
    [
        ([("person", "hello")], False, "voicemail"),
        ([("announcement", "unclear")], False, "voicemail"),
        ([("announcement", "unclear"), ("announcement", "power_off")], False, "unreachable"),
        ([("tone", "busy_tone")], False, "busy"),
        ([("tone", "congestion_tone")], False, "failed"),
        ([("fax", "fax"), ("line", "music")], False, "unreachable"),
        ([("announcement", "busy"), ("voicemail", "beep")], False, "voicemail"),
        ([("announcement", "power_off")], True, "voicemail"),
    ],
)
def test_a_machine_that_answers_says_what_the_call_came_to(
    told: list[tuple[str, str]], verified: bool, expected: str
) -> None:
    outcome = outcome_of(
        facts(
            (FactKind.ANSWERED, {}),
            *((FactKind.VERIFIED, {"by": "id_last4"}),) * verified,
            (FactKind.DISPOSITION, {"disposition": "voicemail", "why": ""}),
            *((FactKind.ANSWERED_BY, {"kind": kind, "cue": cue}) for kind, cue in told),
            (FactKind.ENDED, {"by": "local", "status": None, "reason": "", "q850": None}),
        )
    )
    assert outcome.disposition == expected


def test_the_last_promise_and_the_last_disposition_stand() -> None:
    outcome = outcome_of(
        facts(
            (FactKind.ANSWERED, {}),
            (FactKind.VERIFIED, {"by": "id_last4"}),
            (FactKind.PROMISED, {"date": "2026-11-27", "amount_fen": 100000, "confirmed": False}),
            (FactKind.DISPOSITION, {"disposition": "partial_promise", "why": ""}),
            (FactKind.PROMISED, {"date": "2026-11-28", "amount_fen": 126800, "confirmed": True}),
            (FactKind.DISPOSITION, {"disposition": "promise_to_pay", "why": ""}),
            (FactKind.ENDED, {"by": "local", "status": None, "reason": "", "q850": None}),
        )
    )
    assert outcome.disposition is Disposition.PROMISE_TO_PAY
    assert outcome.promise is not None
    assert (outcome.promise.date, outcome.promise.amount_fen) == (dt.date(2026, 11, 28), 126800)
    assert outcome.promise.confirmed and outcome.verified
    assert outcome.talk_ms == 6000


def test_hand_over_callback_and_stop_are_read() -> None:
    outcome = outcome_of(
        facts(
            (FactKind.ANSWERED, {}),
            (FactKind.CALLBACK_BOOKED, {"at": "2026-11-25T15:00:00+08:00", "reason": "busy"}),
            (FactKind.STOPPED, {"scope": "number", "reason": "dnc_stop"}),
            (FactKind.JOINED, {"agent": "a1"}),
        )
    )
    assert outcome.handoff
    assert outcome.callbacks[0].at == dt.datetime.fromisoformat("2026-11-25T15:00:00+08:00")
    assert (outcome.stops[0].scope, outcome.stops[0].reason) == ("number", "dnc_stop")


def test_a_conversation_that_decided_nothing_had_no_input() -> None:
    assert outcome_of(facts((FactKind.ANSWERED, {}))).disposition is Disposition.NO_INPUT


def test_a_call_whose_brain_died_failed() -> None:
    assert outcome_of(facts((FactKind.ANSWERED, {}), (FactKind.BRAIN_LOST, {}))).disposition is Disposition.FAILED
