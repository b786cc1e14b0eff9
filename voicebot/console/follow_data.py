"""FollowData: promises, tickets, messages and webhooks as the console shows and changes them."""

from __future__ import annotations

import calendar
import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from voicebot.campaign.care import FollowUp, load_follow_up
from voicebot.console.queries import Account
from voicebot.domain.clock import SHANGHAI, Clock
from voicebot.domain.event import Delivery, DeliveryState, EventKind, Webhook
from voicebot.domain.message import Message, MessageChannel, MessageState
from voicebot.domain.records import PromiseRecord, PromiseState, Role
from voicebot.domain.ticket import Decision, Ticket, TicketKind, TicketState
from voicebot.messages.manners import Manners, shipped_manners
from voicebot.store import Store

WEEK = dt.timedelta(days=7)
LOST = (PromiseState.BROKEN, PromiseState.PARTLY_KEPT)
OPT_OUT_WORDS = ("退订", "T", "TD", "N", "STOP", "UNSUBSCRIBE")
"""What a reader answers who wants no more messages, alone or as the beginning of the answer."""


class NotYourTicket(PermissionError):
    """An agent may only work on tickets that are theirs."""


@dataclass(frozen=True, slots=True)
class Due:
    """A promise with the name of its debtor."""

    promise: PromiseRecord
    debtor_name: str


@dataclass(frozen=True, slots=True)
class PromiseDay:
    """One day of the calendar. Amounts in fen: promised, kept, not kept."""

    day: dt.date
    due: tuple[Due, ...] = ()

    @property
    def promised_fen(self) -> int:
        return sum(one.promise.amount_fen for one in self.due)

    def fen(self, *states: PromiseState) -> int:
        return sum(one.promise.amount_fen for one in self.due if one.promise.state in states)

    @property
    def broken_fen(self) -> int:
        """What was not paid of what is over."""
        return sum(one.promise.amount_fen - one.promise.paid_fen for one in self.due if one.promise.state in LOST)

    @property
    def paid_fen(self) -> int:
        return sum(
            one.promise.amount_fen if one.promise.state is PromiseState.KEPT else one.promise.paid_fen
            for one in self.due
        )


@dataclass(frozen=True, slots=True)
class PostBox:
    """What the page of messages shows."""

    messages: Sequence[tuple[Message, str]]
    counts: Mapping[tuple[MessageChannel, MessageState], int]
    webhooks: Sequence[Webhook]
    deliveries: Mapping[str, Mapping[DeliveryState, int]]
    dead: Sequence[Delivery]


class FollowData:
    """LookupError for what does not exist, ValueError (readable) for what can't be done."""

    def __init__(
        self, store: Store, clock: Clock, care: FollowUp | None = None, manners: Manners | None = None
    ) -> None:
        self._store, self._clock = store, clock
        self._care, self._manners = care or load_follow_up(), manners or shipped_manners()

    # --- promises

    async def month(self, year: int, month: int) -> Sequence[PromiseDay]:
        """Every day of a month. ValueError for a month that no calendar has."""
        if not (1970 <= year <= 9998 and 1 <= month <= 12):
            raise ValueError(f"there is no month {year}-{month}")
        first, last = dt.date(year, month, 1), dt.date(year, month, calendar.monthrange(year, month)[1])
        found: dict[dt.date, list[Due]] = {}
        for promise, name in await self._store.promises.between(first, last):
            found.setdefault(promise.date, []).append(Due(promise, name))
        days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
        return [PromiseDay(day, tuple(found.get(day, ()))) for day in days]

    def today(self) -> dt.date:
        return self.now().astimezone(SHANGHAI).date()

    def now(self) -> dt.datetime:
        return self._clock.now()

    # --- tickets

    async def tickets(
        self, who: Account, state: TicketState | None = TicketState.OPEN, kind: TicketKind | None = None,
        mine: bool = False,
    ) -> Sequence[Ticket]:  # fmt: skip
        """The nearest deadline first. An agent sees their own."""
        owner = who.username if mine or who.role == Role.AGENT else None
        return await self._store.tickets.list(state, kind, owner)

    async def ticket(self, who: Account, ticket_id: int) -> Ticket:
        """LookupError, NotYourTicket."""
        ticket = await self._store.tickets.find(ticket_id)
        if ticket is None:
            raise LookupError(f"there is no ticket {ticket_id}")
        if who.role == Role.AGENT and ticket.owner != who.username:
            raise NotYourTicket(f"ticket {ticket_id} belongs to {ticket.owner or 'nobody'}")
        return ticket

    def rule_source(self, kind: TicketKind) -> str:
        """Where the deadline of a kind comes from."""
        return self._care.tickets[kind].source

    async def owners(self) -> Sequence[str]:
        """Users who can have a ticket."""
        return [user.username for user in await self._store.users.all() if not user.disabled]

    async def note(self, who: Account, ticket_id: int, text: str) -> None:
        await self.ticket(who, ticket_id)
        if not text.strip():
            raise ValueError("a note needs a text")
        if not await self._store.tickets.note(ticket_id, who.username, text.strip(), self.now()):
            raise ValueError(f"ticket {ticket_id} is closed")

    async def give(self, who: Account, ticket_id: int, owner: str) -> None:
        await self.ticket(who, ticket_id)
        if not await self._store.tickets.give(ticket_id, owner, who.username, self.now()):
            raise ValueError(f"ticket {ticket_id} is closed, or there is no user {owner}")

    async def close(
        self, who: Account, ticket_id: int, decision: Decision, text: str, rest_until: dt.date | None = None
    ) -> None:
        """A reason is wanted, as it is evidence of what was done about a complaint."""
        ticket = await self.ticket(who, ticket_id)
        if not text.strip():
            raise ValueError("say what was done: a ticket is not closed without a reason")
        if decision is Decision.REST and rest_until is not None and rest_until <= self.today():
            raise ValueError("the case must rest until a day that is still to come")
        done = await self._store.tickets.close(
            ticket_id, who.username, decision, self.now(), text=text.strip(), rest_until=rest_until,
            lifts=self._care.tickets[ticket.kind].lifts,
        )  # fmt: skip
        if not done:
            raise ValueError(f"ticket {ticket_id} is closed")

    # --- messages

    async def post_box(self, state: MessageState | None = None) -> PostBox:
        return PostBox(
            await self._store.outbox.latest(state),
            await self._store.outbox.counts(self.now() - WEEK),
            await self._store.webhooks.all(),
            await self._store.webhooks.counts(),
            await self._store.webhooks.deliveries(state=DeliveryState.DEAD, limit=20),
        )

    async def receipt(self, name: str, state: MessageState, why: str, channel: MessageChannel | None = None) -> bool:
        """What a gateway tells of a message; False when nobody knows it."""
        order = [channel for channel, manner in self._manners.items() if manner.steps_in]
        told = await self._store.receipts.tell(name, state, why[:300], order, self.now(), channel)
        return told is not None

    async def answered(self, channel: MessageChannel, address: str, text: str) -> bool:
        """What a reader answered; True when it says that they want no more."""
        said = text.strip().upper().rstrip("。.!！")
        if not any(said == word or (len(word) > 2 and said.startswith(word)) for word in OPT_OUT_WORDS):
            return False
        await self._store.addresses.opt_out(channel, address, self.now())
        return True

    # --- webhooks

    async def save_webhook(self, name: str, url: str, events: Sequence[str], secret: str = "") -> Webhook:
        """Add or change one; without a secret it keeps its own, or gets one. ValueError."""
        known = await self._store.webhooks.find(name)
        key = secret or (known.secret if known else secrets.token_urlsafe(32))
        webhook = new_webhook(name, url, events, key, self.now())
        await self._store.webhooks.save(webhook)
        return webhook

    async def webhooks(self) -> Sequence[Webhook]:
        return await self._store.webhooks.all()

    async def deliveries(self, name: str | None, state: DeliveryState | None) -> Sequence[Delivery]:
        return await self._store.webhooks.deliveries(name, state)

    async def remove_webhook(self, name: str) -> None:
        if not await self._store.webhooks.remove(name):
            raise LookupError(f"there is no webhook {name}")

    async def test_webhook(self, name: str) -> None:
        if not await self._store.webhooks.test(name, self.now()):
            raise LookupError(f"there is no webhook {name}")

    async def replay_webhook(self, name: str, since: dt.datetime | None, delivery_id: int | None) -> int:
        if await self._store.webhooks.find(name) is None:
            raise LookupError(f"there is no webhook {name}")
        return await self._store.webhooks.replay(name, self.now(), since=since, delivery_id=delivery_id)


def new_webhook(name: str, url: str, events: Sequence[str], secret: str, now: dt.datetime) -> Webhook:
    """ValueError, readable, for a name, address, kind of event or secret that won't do."""
    if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum() or len(name) > 40:
        raise ValueError("a webhook's name is made of up to 40 letters, digits, - and _")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a webhook's address must be an http:// or https:// URL")
    kinds = [kind.value for kind in EventKind]
    unknown = [event for event in events if event not in kinds]
    if unknown:
        raise ValueError(f"there is no event {unknown[0]}; there are {', '.join(kinds)}")
    if len(secret) < 16:
        raise ValueError("a webhook's secret needs at least 16 characters")
    return Webhook(name, url, secret, now, tuple(EventKind(event) for event in events))
