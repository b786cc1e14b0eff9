"""A month of promises, tickets of every colour, messages in every state and a webhook, for tests of their pages."""

from __future__ import annotations

import datetime as dt

from voicebot.campaign.care import load_follow_up
from voicebot.domain.case import Promise
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.event import Event, EventKind, Webhook
from voicebot.domain.message import MessageChannel, MessageState, PlannedMessage
from voicebot.domain.payment import Payment
from voicebot.domain.records import PromiseState, Role
from voicebot.domain.ticket import Decision, NewTicket, TicketKind
from voicebot.store import Store
from voicebot.store.addresses import Address

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
SECRET = "a secret of the gateway in tests"


async def seed(store: Store, now: dt.datetime, password: str) -> None:
    """On top of a day's calls and cases."""
    await store.users.create("sun", Role.SUPERVISOR, now, password=password, display_name="孙主管")
    await store.users.create("amy", Role.AGENT, now, password=password, display_name="小艾")
    found = [await store.cases.find(f"XH2026{index:04d}") for index in range(8)]
    cases = [case for case in found if case is not None]
    today = now.astimezone(SHANGHAI).date()
    first = today.replace(day=1)
    for n, case in enumerate(cases):
        day = first + dt.timedelta(days=(n * 5) % 26)
        made = dt.datetime.combine(min(day, today), dt.time(9), SHANGHAI) - DAY
        promise = Promise(day, 120_000 + 90_000 * n, confirmed=True)
        promise_id = await store.promises.record(case.id, None, promise, made)
        if day < today and n % 3 == 0:
            await store.payments.settle(Payment(case.id, promise.amount_fen, day, f"seed-{n}"), now)
        elif day < today:
            await store.promises.mark(promise_id, PromiseState.BROKEN)
    await _tickets(store, [case.id for case in cases], now)
    await _messages(store, [(case.id, case.debtor.id) for case in cases], now)


async def _tickets(store: Store, cases: list[str], now: dt.datetime) -> None:
    rules = load_follow_up().tickets
    kinds = (TicketKind.COMPLAINT, TicketKind.HARDSHIP, TicketKind.DISPUTE, TicketKind.FRAUD, TicketKind.DANGER)
    for n, kind in enumerate(kinds):
        opened = now - (16 * DAY if n == 2 else HOUR * 20)
        text = "客户称已向客服投诉两次，没有收到答复。"
        ticket_id = await store.tickets.open(NewTicket(kind, cases[n], f"call-{n:04d}", text), rules[kind], opened)
        if n == 3 and ticket_id is not None:
            await store.tickets.close(ticket_id, "sun", Decision.REST, now, text="等待公安回执", rest_until=None)


async def _messages(store: Store, cases: list[tuple[str, str]], now: dt.datetime) -> None:
    await store.addresses.save(Address(cases[7][1], MessageChannel.EMAIL, "demo@example.com", preferred=True))
    for case_id, _ in (cases[5], cases[7]):
        planned = [PlannedMessage(kind, "", now - HOUR, now + DAY) for kind in ("promise_recap", "reminder")]
        await store.outbox.plan(case_id, None, planned, now - HOUR)
    leased = await store.outbox.lease(10, now)
    ends = [MessageState.DELIVERED, MessageState.FAILED]
    for n, due in enumerate(leased[:4]):
        await store.outbox.sent(due.message.id, "【示例】您好。", f"gw-{n}", now - HOUR)
        if n < 2:
            await store.receipts.tell(f"gw-{n}", ends[n], "空号" if n == 1 else "", ["wechat"], now)
    await store.webhooks.save(Webhook("crm", "http://127.0.0.1:9/events", SECRET, now, (EventKind.COMPLAINT,)))
    await store.events.tell([Event("complaint:seed", EventKind.COMPLAINT, now)])
    for leased_delivery in await store.webhooks.lease(10, now):
        await store.webhooks.give_up(leased_delivery.delivery.id, "no answer: ConnectError", None)
