"""Addresses: by which channels a debtor can be written to, what they prefer, and what they want no more of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import TargetKind
from voicebot.domain.message import MessageChannel
from voicebot.store.database import Database
from voicebot.store.schema import cases, contact_stops, numbers
from voicebot.store.schema_follow_up import addresses

UNSUBSCRIBED = "do_not_call"
"""The kind of stop of somebody who wants no more messages at a number: nobody rings there either."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a debtor gets messages by one channel. `preferred`: rather here than by SMS."""

    debtor_id: str
    channel: MessageChannel
    address: str
    rank: int = 0
    valid: bool = True
    preferred: bool = False
    opted_out_at: dt.datetime | None = None


class Addresses:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, address: Address) -> None:
        """Add an address, or change its rank and preference; what its reader said about it stays."""
        values = {"debtor_id": address.debtor_id, "channel": address.channel, "address": address.address,
                  "rank": address.rank, "valid": address.valid, "preferred": address.preferred}  # fmt: skip
        query = insert(addresses).values(**values)
        change = {"rank": address.rank, "preferred": address.preferred}
        async with self._database.begin() as connection:
            await connection.execute(
                query.on_conflict_do_update(index_elements=["debtor_id", "channel", "address"], set_=change)
            )

    async def of_debtor(self, debtor_id: str) -> list[Address]:
        """The preferred ones first."""
        query = select(addresses).where(addresses.c.debtor_id == debtor_id)
        async with self._database.begin() as connection:
            rows = await connection.execute(query.order_by(addresses.c.preferred.desc(), addresses.c.rank))
            return [
                Address(row.debtor_id, MessageChannel(row.channel), row.address, row.rank, row.valid, row.preferred,
                        row.opted_out_at)
                for row in rows
            ]  # fmt: skip

    async def opt_out(self, channel: MessageChannel, address: str, now: dt.datetime) -> None:
        """Somebody at this address wants nothing more."""
        async with self._database.begin() as connection:
            await opt_out(connection, channel, address, now)


async def choose_address(
    connection: AsyncConnection, case_id: str, wanted: Sequence[str], number: str, *, strict: bool = False
) -> tuple[MessageChannel, str] | None:
    """The first of the `wanted` channels for which the debtor has an address, and that address.

    Where none is wanted, or none of them works (unless `strict`): what they prefer, then SMS to `number`, which when
    empty is the debtor's best. None when there is nothing.
    """
    debtor = select(cases.c.debtor_id).where(cases.c.id == case_id).scalar_subquery()
    query = (
        select(addresses)
        .where(addresses.c.debtor_id == debtor, addresses.c.valid, addresses.c.opted_out_at.is_(None))
        .order_by(addresses.c.preferred.desc(), addresses.c.rank, addresses.c.id)
    )
    rows = (await connection.execute(query)).all()
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(row.channel, row.address)
    if MessageChannel.SMS in wanted or not (strict or any(channel in first for channel in wanted)):
        phone = number or await _best_number(connection, case_id)
        if phone.startswith("+"):
            first.setdefault(MessageChannel.SMS, phone)
    preferred = [row.channel for row in rows if row.preferred]
    order = [*wanted] if strict else [*wanted, *preferred, MessageChannel.SMS]
    chosen = next((channel for channel in order if channel in first), None)
    return (MessageChannel(chosen), first[chosen]) if chosen is not None else None


async def opt_out(connection: AsyncConnection, channel: MessageChannel, address: str, now: dt.datetime) -> None:
    """As Addresses.opt_out, in the caller's transaction: an SMS number is not rung any more either."""
    if channel is not MessageChannel.SMS:
        same = (addresses.c.channel == channel, addresses.c.address == address, addresses.c.opted_out_at.is_(None))
        await connection.execute(update(addresses).where(*same).values(opted_out_at=now))
        return
    known = select(contact_stops.c.id).where(
        contact_stops.c.number == address,
        contact_stops.c.reason == UNSUBSCRIBED,
        contact_stops.c.cleared_at.is_(None),
        or_(contact_stops.c.until.is_(None), contact_stops.c.until > now),
    )
    if (await connection.execute(known)).first() is None:
        await connection.execute(insert(contact_stops).values(number=address, reason=UNSUBSCRIBED, since=now))


async def _best_number(connection: AsyncConnection, case_id: str) -> str:
    query = (
        select(numbers.c.number)
        .join(cases, cases.c.debtor_id == numbers.c.debtor_id)
        .where(cases.c.id == case_id, numbers.c.valid, numbers.c.kind == TargetKind.DEBTOR)
        .order_by(numbers.c.rank, numbers.c.id)
        .limit(1)
    )
    return (await connection.execute(query)).scalar_one_or_none() or ""
