"""Webhooks: who is told of what happens, and the deliveries that are on their way, done, or given up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, any_, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from voicebot.domain.event import Delivery, DeliveryState, Event, EventKind, Webhook
from voicebot.store.database import Database
from voicebot.store.events import emit
from voicebot.store.master_key import locked_text, opened_text, under_current
from voicebot.store.rows import AnyRow
from voicebot.store.schema_follow_up import deliveries, events, webhooks

SENDING = dt.timedelta(minutes=2)
"""Whoever has leased a delivery and not said in this time what came of it is taken for dead."""
_OPEN = (DeliveryState.WAITING, DeliveryState.SENDING)


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A leased delivery and where it goes."""

    delivery: Delivery
    webhook: Webhook


class Webhooks:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, webhook: Webhook) -> bool:
        """Add a webhook, or change it; True when it is new. Its secret is kept under the master key."""
        secret = locked_text(webhook.secret, _context(webhook.name))
        values = {"name": webhook.name, "url": webhook.url, "secret": secret, "active": webhook.active,
                  "events": [kind.value for kind in webhook.events], "created_at": webhook.created_at}  # fmt: skip
        change = {name: value for name, value in values.items() if name not in ("name", "created_at")}
        known = select(webhooks.c.name).where(webhooks.c.name == webhook.name)
        query = upsert(webhooks).values(**values).on_conflict_do_update(index_elements=["name"], set_=change)
        async with self._database.begin() as connection:
            new = (await connection.execute(known)).first() is None
            await connection.execute(query)
        return new

    async def lock_secrets(self) -> int:
        """Put secrets under the master key that were saved before there was one, or under an older; how many."""
        done = 0
        async with self._database.begin() as connection:
            for row in await connection.execute(select(webhooks.c.name, webhooks.c.secret).with_for_update()):
                context = _context(row.name)
                if not under_current(row.secret):
                    kept = locked_text(opened_text(row.secret, context), context)
                    mine = update(webhooks).where(webhooks.c.name == row.name)
                    await connection.execute(mine.values(secret=kept))
                    done += 1
        return done

    async def remove(self, name: str) -> bool:
        """Tell it nothing more, and forget what it was told; False without such a webhook."""
        async with self._database.begin() as connection:
            return (await connection.execute(delete(webhooks).where(webhooks.c.name == name))).rowcount > 0

    async def all(self) -> list[Webhook]:
        async with self._database.begin() as connection:
            return [_to_webhook(row) for row in await connection.execute(select(webhooks).order_by(webhooks.c.name))]

    async def find(self, name: str) -> Webhook | None:
        async with self._database.begin() as connection:
            row = (await connection.execute(select(webhooks).where(webhooks.c.name == name))).first()
        return _to_webhook(row) if row else None

    async def counts(self) -> dict[str, dict[DeliveryState, int]]:
        """Deliveries by webhook and state."""
        query = select(deliveries.c.webhook, deliveries.c.state, func.count()).group_by(
            deliveries.c.webhook, deliveries.c.state
        )
        found: dict[str, dict[DeliveryState, int]] = {}
        async with self._database.begin() as connection:
            for name, state, count in await connection.execute(query):
                found.setdefault(name, {})[DeliveryState(state)] = count
        return found

    async def deliveries(
        self, name: str | None = None, state: DeliveryState | None = None, limit: int = 100
    ) -> list[Delivery]:
        """The newest first; `state` DEAD is the list of what was given up."""
        query = _select().order_by(deliveries.c.id.desc()).limit(limit)
        wanted = ((deliveries.c.webhook, name), (deliveries.c.state, state))
        query = query.where(*(column == value for column, value in wanted if value is not None))
        async with self._database.begin() as connection:
            return [_to_delivery(row) for row in await connection.execute(query)]

    async def lease(self, limit: int, now: dt.datetime) -> list[DueDelivery]:
        """Take up to `limit` deliveries that are due, and those whose courier died; the oldest first."""
        async with self._database.begin() as connection:
            due = (
                select(deliveries.c.id)
                .where(deliveries.c.state.in_(_OPEN), deliveries.c.next_at <= now)
                .where(deliveries.c.lease_until.is_(None) | (deliveries.c.lease_until < now))
                .order_by(deliveries.c.id)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            change = update(deliveries).where(deliveries.c.id.in_(due.scalar_subquery()))
            leased = change.values(
                state=DeliveryState.SENDING, lease_until=now + SENDING, tries=deliveries.c.tries + 1
            ).returning(deliveries.c.id)
            ids = list((await connection.execute(leased)).scalars())
            query = _select(webhooks).join(webhooks, deliveries.c.webhook == webhooks.c.name)
            rows = await connection.execute(query.where(deliveries.c.id.in_(ids)).order_by(deliveries.c.id))
            return [DueDelivery(_to_delivery(row), _to_webhook(row)) for row in rows]

    async def delivered(self, delivery_id: int, status: int, now: dt.datetime) -> None:
        await self._settle(delivery_id, DeliveryState.DELIVERED, status=status, why="", delivered_at=now)

    async def later(self, delivery_id: int, at: dt.datetime, why: str, status: int | None) -> None:
        await self._settle(delivery_id, DeliveryState.WAITING, next_at=at, why=why, status=status)

    async def give_up(self, delivery_id: int, why: str, status: int | None) -> None:
        await self._settle(delivery_id, DeliveryState.DEAD, why=why, status=status)

    async def replay(
        self, name: str, now: dt.datetime, *, since: dt.datetime | None = None, delivery_id: int | None = None
    ) -> int:
        """Send again: one delivery, all events since a time, or (neither) all that were given up; how many.

        Events from before the webhook was added are sent too when `since` asks for them. Keys stay the same.
        """
        again = {"state": DeliveryState.WAITING, "tries": 0, "next_at": now, "why": "", "lease_until": None}
        mine = [deliveries.c.webhook == name]
        async with self._database.begin() as connection:
            if since is not None:
                wanted = select(literal(name), events.c.id, literal(now)).where(events.c.at >= since, *_asked(name))
                query = upsert(deliveries).from_select(["webhook", "event_id", "next_at"], wanted)
                done = query.on_conflict_do_update(index_elements=["webhook", "event_id"], set_=again)
                return len((await connection.execute(done.returning(deliveries.c.id))).all())
            if delivery_id is not None:
                mine.append(deliveries.c.id == delivery_id)
            else:
                mine.append(deliveries.c.state == DeliveryState.DEAD)
            return (await connection.execute(update(deliveries).where(*mine).values(**again))).rowcount

    async def test(self, name: str, now: dt.datetime) -> bool:
        """Send a test event to one webhook, whatever it asked for; False without such a webhook."""
        event = Event(f"test:{name}:{now.isoformat()}", EventKind.TEST, now, {"webhook": name})
        async with self._database.begin() as connection:
            if (await connection.execute(select(webhooks.c.name).where(webhooks.c.name == name))).first() is None:
                return False
            await emit(connection, event)
            event_id = select(events.c.id).where(events.c.key == event.key)
            others = delete(deliveries).where(deliveries.c.event_id == event_id.scalar_subquery())
            await connection.execute(others.where(deliveries.c.webhook != name))
            row = select(literal(name), events.c.id, literal(now)).where(events.c.key == event.key)
            query = upsert(deliveries).from_select(["webhook", "event_id", "next_at"], row)
            await connection.execute(query.on_conflict_do_nothing())
        return True

    async def _settle(self, delivery_id: int, state: DeliveryState, **change: Any) -> None:
        """What a courier says of what it leased; one that was taken for dead says it too late."""
        query = update(deliveries).where(deliveries.c.id == delivery_id, deliveries.c.state == DeliveryState.SENDING)
        async with self._database.begin() as connection:
            await connection.execute(query.values(state=state, lease_until=None, **change))


def _asked(name: str) -> Sequence[Any]:
    """That a webhook asked for an event's kind."""
    hook = select(webhooks.c.name).where(
        webhooks.c.name == name,
        (func.cardinality(webhooks.c.events) == 0) | (events.c.kind == any_(webhooks.c.events)),
    )
    return (hook.exists(), events.c.kind != EventKind.TEST)


def _select(*more: Any) -> Select[Any]:
    told = [events.c[name].label(f"event_{name}") for name in ("key", "kind", "at", "case_id", "data")]
    mine = [column.label(f"delivery_{column.name}") for column in deliveries.c]
    return select(*mine, *told, *more).join(events, deliveries.c.event_id == events.c.id)


def _context(name: str) -> str:
    """What a secret is bound to, so that it cannot be moved to another webhook."""
    return f"webhook {name}"


def _to_webhook(row: AnyRow) -> Webhook:
    kinds = tuple(EventKind(kind) for kind in row.events)
    return Webhook(row.name, row.url, opened_text(row.secret, _context(row.name)), row.created_at, kinds, row.active)


def _to_delivery(row: AnyRow) -> Delivery:
    event = Event(
        row.event_key, EventKind(row.event_kind), row.event_at, row.event_data, row.event_case_id, row.delivery_event_id
    )
    return Delivery(
        id=row.delivery_id,
        webhook=row.delivery_webhook,
        event=event,
        state=DeliveryState(row.delivery_state),
        tries=row.delivery_tries,
        next_at=row.delivery_next_at,
        status=row.delivery_status,
        why=row.delivery_why,
        delivered_at=row.delivery_delivered_at,
    )
