"""The case page says what was written to the debtor, and what was not and why."""

from __future__ import annotations

import datetime as dt

from tests.voicebot.campaign.samples import NOON, new_case
from voicebot.console.pages.cases import _messages
from voicebot.console.store_data import StoreData
from voicebot.console.words import Words
from voicebot.domain.case import Promise
from voicebot.domain.clock import FixedClock
from voicebot.domain.message import MessageState
from voicebot.messages.planning import promise_messages
from voicebot.store import Store


async def test_messages_stand_on_the_case_page(store: Store) -> None:
    case = new_case(1)
    await store.cases.save([case], NOON)
    promise = Promise(dt.date(2026, 11, 27), 350_000, confirmed=True)
    await store.promises.record(case.case.id, None, promise, NOON)
    await store.outbox.plan(case.case.id, None, promise_messages(promise, "+8613800000001", NOON), NOON)
    (due,) = await store.outbox.lease(10, NOON)
    await store.outbox.sent(due.message.id, "您好，<b>约定</b>", "gw-1", NOON)
    detail = await StoreData(store, clock=FixedClock(NOON)).case(case.case.id)
    assert detail is not None
    assert [message.state for message in detail.messages] == [MessageState.WAITING, MessageState.SENT]
    drawn = str(_messages(Words("zh"), detail.messages))
    assert "约定当日提醒" in drawn
    assert "您好，&lt;b&gt;约定" in drawn
    assert _messages(Words("zh"), ()) is None
