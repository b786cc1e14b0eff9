"""From the promise in a call to the gateway: once, lawfully, and also when things break."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.voicebot.campaign.samples import NOON, new_case, running_campaign
from tests.voicebot.messages.gateway import SECRET, Gateway
from voicebot.campaign.dialler import Dialler
from voicebot.campaign.permission import judge_by
from voicebot.domain.attempt import Attempt, ContactStop, Outcome
from voicebot.domain.case import Promise
from voicebot.domain.clock import FixedClock
from voicebot.domain.ledger import DecisionSearch, Means
from voicebot.domain.message import Message, MessageChannel, MessageKind, MessageState
from voicebot.domain.outcome import Disposition
from voicebot.messages.planning import promise_messages
from voicebot.messages.sender import Sender
from voicebot.messages.templates import shipped_templates
from voicebot.messages.webhook import WebhookChannel
from voicebot.store import Store
from voicebot.store.outbox import SENDING

FRIDAY = Promise(dt.date(2026, 11, 27), 100_001, confirmed=True)
FRIDAY_MORNING = dt.datetime.combine(FRIDAY.date, dt.time(9), NOON.tzinfo)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    gateway = Gateway()
    yield gateway
    gateway.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest_asyncio.fixture
async def sender(store: Store, gateway: Gateway, clock: FixedClock) -> AsyncIterator[Sender]:
    channel = WebhookChannel(gateway.url, SECRET, clock)
    yield Sender(store, {MessageChannel.SMS: channel}, shipped_templates(), clock)
    await channel.close()


async def promised(store: Store, clock: FixedClock, *, in_writing: bool = True) -> None:
    """One call in which the debtor of C0001 promises to pay on Friday."""

    async def place(attempt: Attempt) -> Outcome:
        return Outcome(Disposition.PROMISE_TO_PAY, talked_to=True, promise=FRIDAY)

    await running_campaign(store, 1)
    assert await Dialler(store, "w", place, judge_by(), clock=clock, in_writing=in_writing).once() == 1


async def of_case(store: Store) -> dict[str, Message]:
    return {message.kind: message for message in await store.outbox.of_case(new_case(0).case.id)}


async def test_what_was_promised_is_written_and_brought_to_mind(
    store: Store, sender: Sender, gateway: Gateway, clock: FixedClock
) -> None:
    await promised(store, clock)
    while await sender.once():
        pass
    assert [message["to"] for message in gateway.taken.values()] == ["+8613800000000"]
    assert "11月27日前办理1000.01元" in gateway.seen[0]["text"]
    recap = (await of_case(store))[MessageKind.PROMISE_RECAP]
    assert (recap.state, recap.external_id, recap.text) == (MessageState.SENT, "gw-1", gateway.seen[0]["text"])

    clock.advance(FRIDAY_MORNING - clock.now())
    assert await sender.once() == 1
    assert await sender.once() == 0
    assert "今天" in gateway.seen[1]["text"]


async def test_without_a_gateway_nothing_is_planned(store: Store, clock: FixedClock) -> None:
    await promised(store, clock, in_writing=False)
    assert await of_case(store) == {}


async def test_a_gateway_that_is_away_is_asked_again_and_each_time_later(
    store: Store, sender: Sender, gateway: Gateway, clock: FixedClock
) -> None:
    gateway.answers = [503, 429, 200]
    await promised(store, clock)
    assert await sender.once() == 1
    assert await sender.once() == 0, "it waits a minute"
    clock.advance(MINUTE)
    assert await sender.once() == 1
    clock.advance(MINUTE)
    assert await sender.once() == 0, "and then two"
    clock.advance(MINUTE)
    assert await sender.once() == 1
    assert (await of_case(store))[MessageKind.PROMISE_RECAP].state is MessageState.SENT
    assert len(gateway.seen) == 3


async def test_what_the_gateway_refuses_is_not_tried_again(
    store: Store, sender: Sender, gateway: Gateway, clock: FixedClock
) -> None:
    gateway.answers = [400]
    await promised(store, clock)
    await sender.once()
    clock.advance(10 * MINUTE)
    assert await sender.once() == 0
    recap = (await of_case(store))[MessageKind.PROMISE_RECAP]
    assert recap.state is MessageState.FAILED
    assert "400" in recap.why


async def test_a_sender_that_died_after_sending_repeats_the_same_key(
    store: Store, sender: Sender, gateway: Gateway, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await promised(store, clock)

    async def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr(store.outbox, "sent", die)
        with pytest.raises(SystemExit):
            await sender.once()
    assert await sender.once() == 0, "the dead one's lease still runs"
    clock.advance(SENDING + MINUTE)
    assert await sender.once() == 1
    assert len(gateway.seen) == 2
    assert len(gateway.taken) == 1, "a gateway that knows the key sends one"
    assert (await of_case(store))[MessageKind.PROMISE_RECAP].state is MessageState.SENT


async def test_the_debtors_wish_the_night_and_a_closed_case_keep_messages_back(
    store: Store, sender: Sender, gateway: Gateway, clock: FixedClock
) -> None:
    clock.advance(NOON.replace(hour=19, minute=50) - NOON)
    await promised(store, clock)
    clock.advance(70 * MINUTE)
    assert await sender.once() == 1
    recap = (await of_case(store))[MessageKind.PROMISE_RECAP]
    assert (recap.state, recap.rule) == (MessageState.REFUSED, "CN-T1"), "at nine in the morning it would be too old"

    await store.contacts.stop(ContactStop("do_not_call", NOON, debtor_id=new_case(0).case.debtor.id))
    clock.advance(FRIDAY_MORNING - clock.now())
    await sender.once()
    assert (await of_case(store))[MessageKind.PROMISE_DUE].rule == "CN-D2"
    assert gateway.seen == []


@pytest.mark.parametrize(("reason", "sent"), [("do_not_call_voice", 1), ("complaint", 0)])
async def test_who_wants_no_calls_may_be_written_to_who_complains_may_not(
    store: Store, sender: Sender, gateway: Gateway, clock: FixedClock, reason: str, sent: int
) -> None:
    await promised(store, clock)
    await store.contacts.stop(ContactStop(reason, NOON, debtor_id=new_case(0).case.debtor.id))
    await sender.once()
    assert len(gateway.seen) == sent


async def test_a_promise_that_is_replaced_or_a_case_that_is_closed_takes_its_messages_along(
    store: Store, sender: Sender, gateway: Gateway, clock: FixedClock
) -> None:
    await promised(store, clock)
    await store.promises.record(new_case(0).case.id, None, FRIDAY, NOON)
    assert await sender.once() == 0
    assert {message.state for message in (await of_case(store)).values()} == {MessageState.CANCELLED}

    await store.outbox.plan(new_case(0).case.id, None, promise_messages(FRIDAY, "+8613800000000", NOON), NOON)
    await store.cases.set_status(new_case(0).case.id, "closed", NOON)
    assert await sender.once() == 0
    assert gateway.seen == []


async def test_a_wrong_secret_is_said(store: Store, gateway: Gateway, clock: FixedClock) -> None:
    await promised(store, clock)
    channel = WebhookChannel(gateway.url, "another", clock)
    await Sender(store, {MessageChannel.SMS: channel}, shipped_templates(), clock).once()
    await channel.close()
    assert "our secret" in (await of_case(store))[MessageKind.PROMISE_RECAP].why


async def test_two_senders_share_the_outbox(store: Store, sender: Sender, gateway: Gateway, clock: FixedClock) -> None:
    await promised(store, clock)
    first = await store.outbox.lease(10, NOON)
    second = await store.outbox.lease(10, NOON)
    assert [due.message.kind for due in first] == [MessageKind.PROMISE_RECAP]
    assert second == []


async def test_the_answer_about_a_message_is_in_the_permission_ledger(
    store: Store, sender: Sender, clock: FixedClock
) -> None:
    await promised(store, clock)
    await sender.once()
    row, *_ = await store.decisions.search(DecisionSearch())
    assert (row.means, row.allowed, row.case_id) == (Means.MESSAGE, True, "C0000")
