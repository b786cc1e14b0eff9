"""Dialling: what an operator halts and lets go on, orders that are taken back, and how campaigns flow."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.campaign import CampaignState
from voicebot.domain.pace import Breaker, Flow, Pacing
from voicebot.store.database import DIALLING, Database
from voicebot.store.flows import read_ended, read_flows
from voicebot.store.schema import campaigns
from voicebot.store.schema_dialling import halts

ALL = "all"
"""The scope of a halt: everything that the dialler would begin."""
WITHDRAWN = "withdrawn"
"""Who has taken an order that nobody may take any more."""

_WITHDRAW = text("""
    UPDATE commands SET taken_at = :now, taken_by = :nobody
    FROM attempts
    WHERE commands.verb = 'dial' AND commands.taken_at IS NULL AND commands.issued_by = 'dialler'
        AND attempts.state = 'placed' AND attempts.call_id = commands.payload ->> 'call_id'
        AND (CAST(:campaign AS text) IS NULL OR attempts.campaign_id = :campaign)
""")


@dataclass(frozen=True, slots=True)
class Halt:
    """Nothing is dialled since then, by whose order, and why."""

    since: dt.datetime
    by: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class CampaignPulse:
    """How one running or paused campaign goes at this moment."""

    campaign_id: str
    name: str
    state: CampaignState
    max_concurrency: int
    flow: Flow
    breaker: Breaker


class Dialling:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def halt(self, by: str, now: dt.datetime, why: str = "") -> None:
        """Nothing is dialled from now on until `go_on`; orders that no line took are withdrawn; calls go on."""
        values = {"scope": ALL, "since": now, "by": by, "why": why}
        async with self._database.begin() as connection:
            await connection.execute(insert(halts).values(**values).on_conflict_do_nothing())
            await withdraw_orders(connection, now)
            await wake(connection)

    async def go_on(self) -> bool:
        """Dial again; False when nothing was halted."""
        async with self._database.begin() as connection:
            gone = (await connection.execute(delete(halts).where(halts.c.scope == ALL))).rowcount > 0
            await wake(connection)
        return gone

    async def halted(self) -> Halt | None:
        async with self._database.begin() as connection:
            row = (await connection.execute(select(halts).where(halts.c.scope == ALL))).first()
        return Halt(row.since, row.by, row.why) if row else None

    async def pulses(self, now: dt.datetime, pacing: Pacing) -> list[CampaignPulse]:
        """Campaigns that run or pause, the most urgent first, with what goes on in them."""
        shown = campaigns.c.state.in_((CampaignState.RUNNING, CampaignState.PAUSED))
        query = select(campaigns).where(shown).order_by(campaigns.c.priority.desc(), campaigns.c.id)
        async with self._database.begin() as connection:
            rows = (await connection.execute(query)).all()
            flows = await read_flows(connection, rows, now) if rows else {}
            ended = await read_ended(connection, [row.id for row in rows], now)
        return [_pulse(row, flows, pacing.breaker(ended[row.id], now)) for row in rows]

    async def listen(self) -> AsyncIterator[str]:
        """Wakes when campaigns start, pause or stop, or all is halted; "" first and after a lost connection."""
        async for payload in self._database.listen(DIALLING):
            yield payload


async def wake(connection: AsyncConnection) -> None:
    """Tell diallers, at the transaction's end, that something else may or may not be dialled."""
    await connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": DIALLING})


async def withdraw_orders(connection: AsyncConnection, now: dt.datetime, campaign_id: str | None = None) -> None:
    """Nobody may take dial orders of the campaign, or any, that wait for a line; their attempts are given back."""
    await connection.execute(_WITHDRAW, {"now": now, "nobody": WITHDRAWN, "campaign": campaign_id})


def _pulse(row: Any, flows: Mapping[str, Flow], breaker: Breaker) -> CampaignPulse:
    state = CampaignState(row.state)
    return CampaignPulse(row.id, row.name, state, row.max_concurrency, flows[row.id], breaker)
