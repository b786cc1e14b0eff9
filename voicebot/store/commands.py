"""Commands: orders to running calls. Rows that wake the workers; the worker of the call takes each once."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.records import Command
from voicebot.store.database import COMMANDS, Database
from voicebot.store.rows import AnyRow
from voicebot.store.schema import commands

STALE = dt.timedelta(minutes=2)
"""Older orders are not obeyed: whoever gave them has seen that nothing happened."""
DIAL_STALE = dt.timedelta(seconds=5)
"""Older orders of the dialler are not obeyed: it takes them back, and the rulebook is asked anew."""
DIALLER = "dialler"
"""Who gave them."""


@dataclass(frozen=True, slots=True)
class DialOrdered:
    """An order of the dialler to dial: the address of the line's worker, and what to dial for which call id."""

    address: str
    payload: Mapping[str, object]


async def write_dial(connection: AsyncConnection, order: DialOrdered, now: dt.datetime) -> None:
    """Write an order in the caller's transaction; its line is woken when that is committed."""
    values = {
        "call_id": order.address,
        "verb": "dial",
        "payload": dict(order.payload),
        "issued_by": DIALLER,
        "issued_at": now,
    }
    await connection.execute(commands.insert().values(**values))


class Commands:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def issue(
        self,
        call_id: str,
        verb: str,
        now: dt.datetime,
        *,
        by: str,
        payload: Mapping[str, object] | None = None,
    ) -> int:
        """Order something (hang_up, listen, take_over …) of a running call; the order's id."""
        values = {
            "call_id": call_id,
            "verb": verb,
            "payload": dict(payload or {}),
            "issued_by": by,
            "issued_at": now,
        }
        async with self._database.begin() as connection:
            result = await connection.execute(commands.insert().values(**values).returning(commands.c.id))
            return int(result.scalar_one())

    async def take(self, call_ids: Iterable[str], worker: str, now: dt.datetime) -> list[Command]:
        """The orders for these calls that nobody took yet, oldest first; they are taken now."""
        query = (
            update(commands)
            .where(commands.c.call_id.in_(list(call_ids)), commands.c.taken_at.is_(None))
            .where(commands.c.issued_at > now - STALE)
            .where(or_(commands.c.issued_by != DIALLER, commands.c.issued_at > now - DIAL_STALE))
            .values(taken_at=now, taken_by=worker)
            .returning(commands)
        )
        async with self._database.begin() as connection:
            taken = [_to_command(row) for row in await connection.execute(query)]
        return sorted(taken, key=lambda command: command.id)

    async def listen(self) -> AsyncIterator[str]:
        """Call ids that have new orders; "" first and after a lost connection: take what there is."""
        async for payload in self._database.listen(COMMANDS):
            yield payload


def _to_command(row: AnyRow) -> Command:
    return Command(
        id=row.id,
        call_id=row.call_id,
        verb=row.verb,
        payload=row.payload,
        issued_by=row.issued_by,
        issued_at=row.issued_at,
    )
