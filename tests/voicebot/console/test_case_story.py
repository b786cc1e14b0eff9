"""The case page tells everything that happened to a case in one line of time, in both languages."""

from __future__ import annotations

import datetime as dt

from tests.voicebot.campaign.samples import NOON, new_case
from voicebot.console.case_data import CaseView
from voicebot.console.case_story import story_line
from voicebot.console.pages.case import stats, timeline
from voicebot.console.store_data import StoreData
from voicebot.console.words import TEXTS, Words
from voicebot.domain.attempt import Consent, ContactStop
from voicebot.domain.case import Promise
from voicebot.domain.clock import FixedClock
from voicebot.domain.payment import Payment
from voicebot.domain.records import CallRecord
from voicebot.messages.planning import promise_messages
from voicebot.store import Store
from voicebot.store.timeline import KINDS, Moment

HOUR = dt.timedelta(hours=1)
CASE = "C0001"


async def lived(store: Store) -> CaseView:
    """A case to which one thing of nearly every kind has happened, an hour apart."""
    new = new_case(1)
    number = new.numbers[0].number
    await store.cases.save([new], NOON, "demo", "十一月.xlsx")
    await store.attempts.add(CASE, "reminder", NOON + 30 * HOUR)
    await store.calls.start(CallRecord("call-1", "outbound", number, NOON + HOUR, CASE))
    promise = Promise(dt.date(2026, 11, 27), 50_000, confirmed=True)
    await store.promises.record(CASE, "call-1", promise, NOON + 2 * HOUR)
    await store.outbox.plan(CASE, None, promise_messages(promise, number, NOON + 3 * HOUR), NOON + 3 * HOUR)
    await store.payments.settle(Payment(CASE, 50_000, NOON.date(), "bank-7"), NOON + 4 * HOUR)
    await store.contacts.stop(ContactStop("dnc_stop", NOON + 5 * HOUR, debtor_id="D0001"))
    await store.contacts.agree(Consent("D0001", "other_hours", NOON + 6 * HOUR))
    await store.promises.book_callback(CASE, "call-1", number, NOON + 20 * HOUR, "asked", NOON + 7 * HOUR)
    data = StoreData(store, clock=FixedClock(NOON + 8 * HOUR))
    await data.casework.note(CASE, "客户说<b>周五</b>到账", "demo")
    await data.casework.set_status(CASE, "suspended", "demo", "等法院")
    view = await data.casework.view(CASE)
    assert view is not None
    return view


async def test_everything_stands_in_one_line_of_time(store: Store) -> None:
    view = await lived(store)
    kinds = [moment.kind for moment in view.moments]
    assert {"imported", "call", "promise", "message", "payment", "stop", "consent", "callback", "note", "suspended",
            "planned"} <= set(kinds)  # fmt: skip
    times = [moment.at for moment in view.moments]
    assert times == sorted(times, reverse=True)
    drawn = str(timeline(Words("zh"), view))
    assert "客户说&lt;b&gt;周五" in drawn and "十一月.xlsx" in drawn and "bank-7" in drawn and "/calls/call-1" in drawn
    assert "13800000001" not in drawn, "numbers are shown by their ends"
    assert "moment." not in drawn and "message." not in drawn
    assert "等法院" in str(timeline(Words("en"), view))
    head = str(stats(Words("zh"), view))
    assert "¥500.01" in head and "¥1,000.01" in head, "what is left, and what was billed"


async def test_older_moments_are_a_page_further(store: Store) -> None:
    await store.cases.save([new_case(1)], NOON)
    for hour in range(130):
        await store.cases.note(CASE, f"第{hour}条", NOON + (hour + 1) * HOUR, "demo")
    data = StoreData(store, clock=FixedClock(NOON)).casework
    newest = await data.view(CASE)
    assert newest and newest.older and len(newest.moments) == 100 and newest.moments[0].data["text"] == "第129条"
    older = await data.view(CASE, newest.moments[-1].at)
    assert older and not older.older
    assert [moment.data.get("text") for moment in older.moments] == [*(f"第{n}条" for n in range(29, -1, -1)), None]


def test_every_kind_has_its_words() -> None:
    at = NOON
    for kind in (*KINDS, "imported", "changed", "open", "suspended", "closed", "note"):
        assert f"moment.{kind}" in TEXTS
        data = {"amount_fen": 1, "date": "2026-11-27", "paid_on": "2026-11-27", "state": "open", "direction": "inbound"}
        line = story_line(Words("en"), Moment(at, kind, "1", data))
        assert line.title and "moment." not in line.title + line.text
