"""One call's numbers, from its journal alone."""

from __future__ import annotations

import datetime as dt

from voicebot.domain.counted import CallSetting
from voicebot.domain.journal import Fact, FactKind
from voicebot.reports.counting import BLOCKED, count_call

AT = dt.datetime(2026, 11, 24, 1, 0, tzinfo=dt.UTC)
SETTING = CallSetting("c1", "outbound", AT, "reminder", amount_fen=500_00, overdue_days=3, checked=True)


def journal(*told: tuple[FactKind, dict[str, object]]) -> list[Fact]:
    return [Fact(seq, AT.isoformat(), seq * 1000, kind, data) for seq, (kind, data) in enumerate(told)]


HEARD = (FactKind.HEARD, {"text": "我是"})
ANSWERED = (FactKind.ANSWERED, {})


def test_a_promise_counts_when_it_was_confirmed_by_the_debtor() -> None:
    promise = {"date": "2026-11-30", "amount_fen": 30000, "confirmed": True, "channel": None}
    facts = journal(ANSWERED, HEARD, (FactKind.VERIFIED, {"by": "x"}), (FactKind.PROMISED, promise))
    call = count_call(SETTING, facts)
    assert (call.tally["promises"], call.tally["promised_fen"], call.tally["due_fen"]) == (1, 30000, 50000)
    unsure = count_call(SETTING, [*facts[:-1], Fact(3, facts[3].at, 3000, FactKind.PROMISED,
                                                    {**promise, "confirmed": False})])  # fmt: skip
    assert (unsure.tally["promises"], unsure.tally["soft_promises"]) == (0, 1)


def test_the_journal_says_what_was_due_then() -> None:
    started = (FactKind.STARTED, {"amount_fen": 77, "overdue_days": 65, "as_of": "2026-11-24"})
    call = count_call(SETTING, journal(started, ANSWERED, HEARD, (FactKind.VERIFIED, {})))
    assert (call.stage, call.tally["due_fen"]) == ("M3", 77)
    assert count_call(SETTING, journal(ANSWERED)).stage == "S1"


def test_machines_are_no_contacts() -> None:
    facts = journal(ANSWERED, HEARD, (FactKind.ANSWERED_BY, {"kind": "voicemail", "cue": "beep"}))
    tally = count_call(SETTING, facts).tally
    assert (tally["answered"], tally["machine"], tally["human"], tally["contacts"]) == (1, 1, 0, 0)


def test_whom_we_left_alone_is_counted() -> None:
    crashed = journal(ANSWERED, HEARD, (FactKind.ENDED, {"by": "crash"}))
    assert count_call(SETTING, crashed).tally["dropped"] == 1
    saved = journal(ANSWERED, HEARD, (FactKind.BRAIN_LOST, {}), (FactKind.JOINED, {"agent": "a1"}))
    assert count_call(SETTING, saved).tally["dropped"] == 0
    assert count_call(SETTING, journal(ANSWERED, HEARD, (FactKind.BRAIN_LOST, {}))).tally["dropped"] == 1


def test_people_are_counted_from_joining_to_leaving() -> None:
    facts = journal(
        ANSWERED, HEARD, (FactKind.TRANSFER_STARTED, {}), (FactKind.QUEUED, {}), (FactKind.JOINED, {"agent": "a1"}),
        HEARD, (FactKind.AGENT_LEFT, {"agent": "a1"}), (FactKind.ENDED, {"by": "remote"}),
    )  # fmt: skip
    call = count_call(SETTING, facts)
    assert call.tally.agent == "a1"
    assert (call.tally["wait_ms"], call.tally["agent_ms"], call.tally["joined"]) == (2000, 2000, 1)


def test_verdicts_tell_violations_from_false_blocks() -> None:
    said = (("F15", True), ("F03", True), ("F01", False), (BLOCKED + "F05", False), (BLOCKED + "F06", True))
    setting = CallSetting("c1", "outbound", AT, verdicts=said)
    tally = count_call(setting, journal(ANSWERED)).tally
    counted = [tally[name] for name in ("confirmed", "confirmed_critical", "confirmed_calls", "false_blocks")]
    assert counted == [2, 1, 1, 1]


def test_a_call_without_facts_is_still_an_attempt() -> None:
    call = count_call(SETTING, [])
    assert dict(call.tally.numbers) == {"attempts": 1, "checked": 1}
