"""TrunkShares: what a trunk carries is divided among workers, so that together they never ask more of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.store.database import Database, lock_key
from voicebot.store.rows import AnyRow
from voicebot.store.schema_dialling import trunk_shares
from voicebot.store.schema_workers import NOW

LASTS = dt.timedelta(seconds=60)
"""How long a share is kept for a worker that gives no more signs of life: its calls may go on."""
SILENT = dt.timedelta(seconds=10)
"""Another registers in the place of a worker that has not renewed its share for so long."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a worker knows of a trunk: what it carries in all, the calls it has there, and how many more it may need.

    `registers`: the address (user@domain) with which the worker could register there now; "" where there is none.
    """

    channels: int
    per_second: float
    used: int
    spare: int
    registers: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """What a worker may use of a trunk: calls at once, and new ones per second.

    `registers`: it is on this worker, and on nobody else, to stay registered.
    """

    channels: int
    per_second: float
    registers: bool = False


class TrunkShares:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def renew(
        self, worker: str, wishes: Mapping[str, Wish], now: dt.datetime | None = None
    ) -> dict[str, Share]:
        """The worker's shares from now on, by trunk; what it does not use or wish is free for others at once.

        The shares of a trunk never exceed what it carries. A worker must hold to the smaller of its shares before and
        after until this returns, and must begin no call once LASTS is over. `now` None: by the database's clock, so
        that a machine whose own clock jumps neither takes nor loses what is another's.
        """
        async with self._database.begin() as connection:
            at = now or (await connection.execute(select(NOW))).scalar_one()
            return {name: await _renew(connection, worker, name, wishes[name], at) for name in sorted(wishes)}

    async def give_back(self, worker: str) -> None:
        """The worker has no calls any more."""
        async with self._database.begin() as connection:
            await connection.execute(delete(trunk_shares).where(trunk_shares.c.worker == worker))

    async def all(self, now: dt.datetime) -> dict[str, dict[str, Share]]:
        """Shares in force, by trunk and worker."""
        found: dict[str, dict[str, Share]] = {}
        async with self._database.begin() as connection:
            for row in await connection.execute(select(trunk_shares).where(trunk_shares.c.until > now)):
                found.setdefault(row.trunk, {})[row.worker] = Share(row.channels, row.per_second, bool(row.registers))
        return found


async def _renew(connection: AsyncConnection, worker: str, trunk: str, wish: Wish, now: dt.datetime) -> Share:
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("trunk", trunk)})
    query = select(trunk_shares).where(
        trunk_shares.c.trunk == trunk, trunk_shares.c.worker != worker, trunk_shares.c.until > now
    )
    others = (await connection.execute(query)).all()
    free = wish.channels - sum(row.channels for row in others)
    channels = max(0, min(free, max(wish.used + wish.spare, _even(wish.channels, len(others)))))
    left = max(0.0, wish.per_second - sum(row.per_second for row in others))
    per_second = min(left, max(wish.per_second / (len(others) + 1), 0.0))
    registers = wish.registers if not any(_registers(row, wish, now) for row in others) else ""
    values = {
        "channels": channels,
        "per_second": per_second,
        "used": wish.used,
        "until": now + LASTS,
        "registers": registers,
    }
    write = insert(trunk_shares).values(trunk=trunk, worker=worker, **values)
    await connection.execute(write.on_conflict_do_update(index_elements=["trunk", "worker"], set_=values))
    return Share(channels, per_second, bool(registers))


def _registers(row: AnyRow, wish: Wish, now: dt.datetime) -> bool:
    """Whether another worker, which lives, is registered with the same address."""
    return bool(row.registers == wish.registers and row.until > now + LASTS - SILENT)


def _even(channels: int, others: int) -> int:
    """What a worker keeps ready though it does not use it."""
    return channels // (others + 1) if others else channels
