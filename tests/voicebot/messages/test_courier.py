"""Word to other systems: signed, once by its id, again when they are away, and given up in the end."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.voicebot.messages.gateway import SECRET, Gateway
from tests.voicebot.store.samples import NOON, new_case
from voicebot.domain.case import Promise
from voicebot.domain.clock import FixedClock
from voicebot.domain.event import DeliveryState, Event, EventKind, Webhook
from voicebot.domain.payment import Payment
from voicebot.messages.courier import MOST_TRIES, Courier
from voicebot.messages.webhook import is_signed, signature
from voicebot.store import Store
from voicebot.store.webhooks import SENDING

DAY = dt.timedelta(days=1)


class Killed(BaseException):
    """The process ends here."""


MONEY = (EventKind.PAYMENT_RECEIVED, EventKind.PROMISE_KEPT)


@pytest.fixture
def receiver() -> Iterator[Gateway]:
    receiver = Gateway()
    yield receiver
    receiver.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest_asyncio.fixture
async def courier(store: Store, receiver: Gateway, clock: FixedClock) -> AsyncIterator[Courier]:
    await store.webhooks.save(Webhook("crm", receiver.url, SECRET, NOON))
    yield Courier(store, clock)


def told(receiver: Gateway) -> list[str]:
    return [str(event["event"]) for event in receiver.seen]


async def money(store: Store) -> None:
    await store.cases.save([new_case(1)], NOON)
    await store.promises.record("C0001", None, Promise(NOON.date(), 5_000, confirmed=True), NOON)
    await store.payments.settle(Payment("C0001", 5_000, NOON.date(), "p1"), NOON)


async def test_each_event_reaches_who_asked_for_it_once_and_signed(
    store: Store, courier: Courier, receiver: Gateway
) -> None:
    await store.webhooks.save(Webhook("bank", receiver.url, SECRET, NOON, MONEY))
    await money(store)
    while await courier.once():
        pass
    assert sorted(told(receiver)) == sorted(
        ["promise.made", "promise.kept", "payment.received", "promise.kept", "payment.received"]
    )
    paid = next(event for event in receiver.seen if event["event"] == "payment.received")
    assert paid["id"] == "payment.received:p1" and paid["data"]["left_fen"] == new_case(1).case.amount_fen - 5_000
    assert await store.webhooks.counts() == {"crm": {DeliveryState.DELIVERED: 3}, "bank": {DeliveryState.DELIVERED: 2}}


async def test_who_is_away_is_asked_again_ever_later_and_given_up_in_the_end(
    store: Store, courier: Courier, receiver: Gateway, clock: FixedClock
) -> None:
    receiver.answers = [500] * 100
    await store.events.tell([Event("e1", EventKind.COMPLAINT, NOON)])
    gaps, last = [], NOON
    for _ in range(4 * 24 * 360):
        if await courier.once():
            gaps.append(clock.now() - last)
            last = clock.now()
        if not await store.webhooks.deliveries(state=DeliveryState.WAITING):
            break
        (waiting,) = await store.webhooks.deliveries()
        clock.advance(waiting.next_at - clock.now())
    assert len(gaps) == MOST_TRIES == len(receiver.seen)
    assert gaps == sorted(gaps) and sum(gaps, dt.timedelta()) < 3 * DAY
    (dead,) = await store.webhooks.deliveries(state=DeliveryState.DEAD)
    assert (dead.status, dead.why) == (500, "answers 500")

    receiver.answers = []
    assert await store.webhooks.replay("crm", clock.now()) == 1
    assert await courier.once() == 1
    assert receiver.seen[-1]["id"] == "e1"
    assert await store.webhooks.replay("crm", clock.now()) == 0, "nothing is dead any more"


async def test_a_courier_that_died_repeats_the_same_id(
    store: Store, courier: Courier, receiver: Gateway, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.events.tell([Event("e1", EventKind.DANGER, NOON)])

    async def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(store.webhooks, "delivered", die)
        with pytest.raises(Killed):
            await courier.once()
    assert await courier.once() == 0, "the dead one's lease still runs"
    clock.advance(SENDING + dt.timedelta(seconds=1))
    assert await courier.once() == 1
    assert [event["id"] for event in receiver.seen] == ["e1", "e1"]


async def test_a_webhook_that_came_later_can_be_told_what_was_before_it(
    store: Store, courier: Courier, receiver: Gateway, clock: FixedClock
) -> None:
    await money(store)
    await store.webhooks.remove("crm")
    await store.webhooks.save(Webhook("late", receiver.url, SECRET, NOON, MONEY))
    assert await store.webhooks.replay("late", NOON, since=NOON - DAY) == 2
    assert await courier.once() == 2
    assert await store.webhooks.replay("late", NOON, since=NOON - DAY) == 2, "and again, if somebody asks"


async def test_a_test_reaches_one_webhook_whatever_it_asked_for(
    store: Store, courier: Courier, receiver: Gateway
) -> None:
    await store.webhooks.save(Webhook("bank", receiver.url, SECRET, NOON, MONEY))
    assert await store.webhooks.test("bank", NOON) and not await store.webhooks.test("nobody", NOON)
    assert await courier.once() == 1
    assert [(event["event"], event["data"]) for event in receiver.seen] == [("test", {"webhook": "bank"})]


async def test_one_that_is_switched_off_is_told_nothing(store: Store, courier: Courier, receiver: Gateway) -> None:
    await store.webhooks.save(Webhook("crm", receiver.url, SECRET, NOON, active=False))
    await store.events.tell([Event("e1", EventKind.DANGER, NOON)])
    assert await courier.once() == 0


@pytest.mark.parametrize(
    ("stamp", "body", "secret", "good"),
    [
        (0, b"x", b"s", True), (-299, b"x", b"s", True), (301, b"x", b"s", False),
        (0, b"y", b"s", False), (0, b"x", b"t", False),
    ],
)  # fmt: skip
def test_a_signature_holds_for_its_body_secret_and_time(stamp: int, body: bytes, secret: bytes, good: bool) -> None:
    at = str(int(NOON.timestamp()) + stamp)
    claimed = "sha256=" + signature(b"s", at, b"x")
    assert is_signed(secret, at, claimed, body, NOON) is good
    assert not is_signed(secret, "soon", claimed, body, NOON) and not is_signed(secret, at, "ü", body, NOON)
