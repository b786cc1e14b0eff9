"""Outbox: messages are written in the transaction that gives rise to them, and sent by whoever leases them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.case import Case, Promise
from voicebot.domain.message import Message, MessageChannel, MessageState, PlannedMessage, may_become
from voicebot.domain.records import PromiseState
from voicebot.store.addresses import choose_address
from voicebot.store.database import Database
from voicebot.store.rows import CASE_COLUMNS, CASE_TABLES, AnyRow, to_case
from voicebot.store.schema import cases, debtors, messages, promises

SENDING = dt.timedelta(minutes=2)
"""Whoever has leased a message and not said in this time what came of it is taken for dead."""

_OPEN = (MessageState.WAITING, MessageState.SENDING)


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A leased message with what its text needs. `promise` is None where the message is about none."""

    message: Message
    case: Case
    promise: Promise | None


class Outbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def plan(
        self, case_id: str, call_id: str | None, planned: Sequence[PlannedMessage], now: dt.datetime, *,
        about_promise: bool = True,
    ) -> None:  # fmt: skip
        """Write messages about the case's open promise; one of a kind for each promise, however often it is asked."""
        async with self._database.begin() as connection:
            query = select(promises.c.id).where(promises.c.case_id == case_id, promises.c.state == PromiseState.OPEN)
            newest = query.order_by(promises.c.id.desc()).limit(1)
            promise_id = (await connection.execute(newest)).scalar_one_or_none() if about_promise else None
            await write_messages(connection, case_id, call_id, promise_id, planned, now)

    async def lease(self, limit: int, now: dt.datetime) -> list[DueMessage]:
        """Take up to `limit` messages that are due, and those whose sender died; what is no longer true is dropped."""
        async with self._database.begin() as connection:
            await _drop(connection, now)
            due = (
                select(messages.c.id)
                .where(messages.c.state.in_(_OPEN), messages.c.not_before <= now)
                .where(messages.c.lease_until.is_(None) | (messages.c.lease_until < now))
                .order_by(messages.c.not_before, messages.c.id)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            change = update(messages).where(messages.c.id.in_(due.scalar_subquery()))
            leased = change.values(
                state=MessageState.SENDING, lease_until=now + SENDING, tries=messages.c.tries + 1
            ).returning(messages.c.id)
            ids = list((await connection.execute(leased)).scalars())
            return await _read(connection, ids)

    async def sent(self, message_id: int, text: str, external_id: str | None, now: dt.datetime) -> None:
        """The gateway has taken it. A receipt may have been quicker: what it told stands."""
        change = {"text": text, "external_id": external_id, "sent_at": now}
        async with self._database.begin() as connection:
            row = (await connection.execute(_lock(message_id))).first()
            if row is None:
                return
            if MessageState(row.state) is MessageState.SENDING:
                change |= {"state": MessageState.SENT, "why": "", "lease_until": None}
            await connection.execute(update(messages).where(messages.c.id == message_id).values(**change))

    async def fall_back(
        self, message_id: int, why: str, order: Sequence[str], now: dt.datetime, *, text: str = ""
    ) -> int | None:
        """It failed for good. Another one by the next channel of `order` that was not tried and has an address; its id.

        None when there is no such channel, or it would come too late.
        """
        async with self._database.begin() as connection:
            return await fall_back(connection, message_id, why, order, now, text)

    async def sent_to(self, debtor_id: str, channel: str, since: dt.datetime) -> list[dt.datetime]:
        """When messages left by a channel to a debtor since then, about whatever case; oldest first."""
        query = (
            select(messages.c.sent_at)
            .join(cases, messages.c.case_id == cases.c.id)
            .where(cases.c.debtor_id == debtor_id, messages.c.channel == channel, messages.c.sent_at >= since)
            .order_by(messages.c.sent_at)
        )
        async with self._database.begin() as connection:
            return list((await connection.execute(query)).scalars())

    async def later(self, message_id: int, at: dt.datetime, why: str, rule: str | None = None) -> None:
        """Not now: `why`, and by which rule if one forbade it."""
        await self._settle(message_id, MessageState.WAITING, not_before=at, why=why, rule=rule)

    async def end(self, message_id: int, state: MessageState, why: str, rule: str | None = None) -> None:
        """It will not be sent: `state` is failed, refused or cancelled."""
        await self._settle(message_id, state, why=why, rule=rule)

    async def of_case(self, case_id: str, limit: int = 200) -> list[Message]:
        """A case's messages, newest first."""
        query = select(messages).where(messages.c.case_id == case_id).order_by(messages.c.id.desc()).limit(limit)
        async with self._database.begin() as connection:
            return [to_message(row) for row in await connection.execute(query)]

    async def latest(self, state: MessageState | None = None, limit: int = 100) -> list[tuple[Message, str]]:
        """The newest messages with the name of their debtor."""
        columns = [column.label(f"message_{column.name}") for column in messages.c]
        query = (
            select(*columns, debtors.c.name.label("debtor_name"))
            .join(cases, messages.c.case_id == cases.c.id)
            .join(debtors, cases.c.debtor_id == debtors.c.id)
            .order_by(messages.c.id.desc())
            .limit(limit)
        )
        if state is not None:
            query = query.where(messages.c.state == state)
        async with self._database.begin() as connection:
            return [(to_message(row, "message_"), row.debtor_name) for row in await connection.execute(query)]

    async def counts(self, since: dt.datetime) -> dict[tuple[MessageChannel, MessageState], int]:
        """How many messages written since then are in each state, by channel."""
        query = select(messages.c.channel, messages.c.state, func.count()).where(messages.c.created_at >= since)
        async with self._database.begin() as connection:
            rows = await connection.execute(query.group_by(messages.c.channel, messages.c.state))
            return {(MessageChannel(channel), MessageState(state)): count for channel, state, count in rows}

    async def _settle(self, message_id: int, state: MessageState, **change: object) -> None:
        query = update(messages).where(messages.c.id == message_id, messages.c.state == MessageState.SENDING)
        async with self._database.begin() as connection:
            await connection.execute(query.values(state=state, lease_until=None, **change))


async def write_messages(
    connection: AsyncConnection,
    case_id: str,
    call_id: str | None,
    promise_id: int | None,
    planned: Sequence[PlannedMessage],
    now: dt.datetime,
) -> None:
    """As Outbox.plan, in the caller's transaction; what the debtor has no address for is left out."""
    for message in planned:
        found = await choose_address(connection, case_id, message.channels, message.to)
        if found is None:
            continue
        channel, to = found
        values = {
            "case_id": case_id, "call_id": call_id, "promise_id": promise_id, "kind": message.kind, "to": to,
            "channel": channel, "not_before": message.not_before, "expires_at": message.expires_at, "created_at": now,
        }  # fmt: skip
        await connection.execute(insert(messages).values(**values).on_conflict_do_nothing())


async def fall_back(
    connection: AsyncConnection, message_id: int, why: str, order: Sequence[str], now: dt.datetime, text: str
) -> int | None:
    """As Outbox.fall_back, in the caller's transaction."""
    row = (await connection.execute(_lock(message_id))).first()
    if row is None or not may_become(MessageState(row.state), MessageState.FAILED):
        return None
    change = {"state": MessageState.FAILED, "why": why, "lease_until": None, **({"text": text} if text else {})}
    await connection.execute(update(messages).where(messages.c.id == message_id).values(**change))
    tried = [*row.tried, row.channel]
    left = [channel for channel in order if channel not in tried]
    found = await choose_address(connection, row.case_id, left, "", strict=True) if row.expires_at > now else None
    if found is None:
        return None
    values = {name: getattr(row, name) for name in ("case_id", "call_id", "promise_id", "kind", "expires_at")}
    values |= {"channel": found[0], "to": found[1], "not_before": now, "created_at": now, "instead_of": row.id,
               "tried": tried}  # fmt: skip
    query = insert(messages).values(**values).on_conflict_do_nothing().returning(messages.c.id)
    instead: int | None = (await connection.execute(query)).scalar_one_or_none()
    return instead


async def _drop(connection: AsyncConnection, now: dt.datetime) -> None:
    """What came too late, belongs to a case that is not open, or to a promise that no longer stands.

    What was said in a call is still confirmed when the case rests because of it.
    """
    mine = cases.c.id == messages.c.case_id
    recap = messages.c.call_id.is_not(None) & messages.c.promise_id.is_(None)
    at_rest = (cases.c.status == "suspended") & ~recap
    closed = select(cases.c.id).where(mine, at_rest | cases.c.status.not_in(("open", "suspended"))).exists()
    over = promises.c.state != PromiseState.OPEN
    fallen = select(promises.c.id).where(promises.c.id == messages.c.promise_id, over).exists()
    free = messages.c.lease_until.is_(None) | (messages.c.lease_until < now)
    for reason, condition in (
        ("came too late", messages.c.expires_at <= now),
        ("the case is not open any more", closed),
        ("the promise does not stand any more", fallen),
    ):
        await connection.execute(
            update(messages)
            .where(messages.c.state.in_(_OPEN), free, condition)
            .values(state=MessageState.CANCELLED, why=reason, lease_until=None)
        )


async def _read(connection: AsyncConnection, ids: list[int]) -> list[DueMessage]:
    tables = messages.join(CASE_TABLES, messages.c.case_id == cases.c.id).outerjoin(
        promises, promises.c.id == messages.c.promise_id
    )
    names = ("date", "amount_fen", "confirmed", "channel", "paid_fen")
    promised = [promises.c[name].label(f"promise_{name}") for name in names]
    columns = [column.label(f"message_{column.name}") for column in messages.c]
    query = select(*columns, *CASE_COLUMNS, *promised).select_from(tables).where(messages.c.id.in_(ids))
    rows = await connection.execute(query.order_by(messages.c.not_before, messages.c.id))
    return [DueMessage(to_message(row, "message_"), to_case(row), _to_promise(row)) for row in rows]


def _to_promise(row: AnyRow) -> Promise | None:
    if row.promise_date is None:
        return None
    left = max(0, row.promise_amount_fen - row.promise_paid_fen)  # a part may have been paid meanwhile
    return Promise(row.promise_date, left, row.promise_confirmed, row.promise_channel)


def _lock(message_id: int) -> Select[Any]:
    return select(messages).where(messages.c.id == message_id).with_for_update()


def to_message(row: AnyRow, prefix: str = "") -> Message:
    """A message from a row whose columns begin with `prefix`."""
    values = {name: getattr(row, prefix + name) for name in Message.__dataclass_fields__}
    spelt = {
        "state": MessageState(values["state"]),
        "channel": MessageChannel(values["channel"]),
        "tried": tuple(values["tried"]),
    }
    return Message(**values | spelt)
