"""Which messages a promise gives rise to."""

from __future__ import annotations

import datetime as dt

from voicebot.domain.case import Promise
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.message import MessageKind
from voicebot.messages.planning import promise_messages

NOW = dt.datetime(2026, 11, 24, 10, 30, tzinfo=SHANGHAI)
NUMBER = "+8613800000001"


def test_a_confirmed_promise_is_recapped_now_and_brought_to_mind_on_its_morning() -> None:
    recap, due = promise_messages(Promise(dt.date(2026, 11, 27), 350_000, confirmed=True), NUMBER, NOW)
    assert (recap.kind, recap.not_before) == (MessageKind.PROMISE_RECAP, NOW)
    assert due.kind is MessageKind.PROMISE_DUE
    assert (due.not_before, due.expires_at) == (
        dt.datetime(2026, 11, 27, 9, tzinfo=SHANGHAI),
        dt.datetime(2026, 11, 27, 18, tzinfo=SHANGHAI),
    )


def test_a_promise_for_today_has_no_morning_any_more() -> None:
    planned = promise_messages(Promise(NOW.date(), 350_000, confirmed=True), NUMBER, NOW)
    assert [message.kind for message in planned] == [MessageKind.PROMISE_RECAP]


def test_nothing_is_written_about_what_was_not_confirmed_nor_to_what_is_no_number() -> None:
    promise = Promise(dt.date(2026, 11, 27), 350_000)
    assert promise_messages(promise, NUMBER, NOW) == ()
    assert promise_messages(Promise(promise.date, 1, confirmed=True), "sip:somebody@example.net", NOW) == ()
