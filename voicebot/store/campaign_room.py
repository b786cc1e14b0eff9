"""CampaignRoom: how many more calls each campaign may have at this moment, and which number of ours they show."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import AttemptState
from voicebot.domain.campaign import CampaignState
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.pace import Breaker, BreakerState, CampaignMode, Flow, Pacing
from voicebot.store.database import lock_key
from voicebot.store.flows import read_ended, read_flows
from voicebot.store.ledger import CALLER_CALLS, civil_day
from voicebot.store.rows import AnyRow
from voicebot.store.schema import attempts, campaigns, ledger
from voicebot.store.schema_dialling import halts


@dataclass(slots=True)
class CallerPool:
    """Numbers of ours and how often each was shown today; the least shown is next, the first among equals."""

    numbers: tuple[str, ...]
    most: int | None
    used: Counter[str]

    def next(self) -> str | None:
        """None when every number was shown as often as it may be."""
        free = [number for number in self.numbers if self.most is None or self.used[number] < self.most]
        return min(free, key=lambda number: self.used[number], default=None)


@dataclass(slots=True)
class CampaignRoom:
    """Read under the campaigns' locks. `resting`: campaigns that remind nobody at this hour."""

    free: Counter[str] = field(default_factory=Counter)
    resting: frozenset[str] = frozenset()
    callers: dict[str, CallerPool] = field(default_factory=dict)
    halted: bool = False
    breakers: dict[str, Breaker] = field(default_factory=dict)

    @property
    def open(self) -> list[str]:
        return [campaign for campaign, free in self.free.items() if free > 0]

    def has(self, campaign_id: str | None) -> bool:
        """Whether one more call fits; also whether a number is left to show."""
        if campaign_id is None:
            return True
        pool = self.callers.get(campaign_id)
        return self.free[campaign_id] > 0 and (pool is None or pool.next() is not None)

    def shows(self, campaign_id: str | None) -> str | None:
        """The number of ours for the campaign's next call; None where it is left to the trunk."""
        pool = self.callers.get(campaign_id or "")
        return pool.next() if pool else None

    def take(self, campaign_id: str | None, shows: str | None) -> None:
        """One call of it was begun."""
        if campaign_id is not None:
            self.free[campaign_id] -= 1
        for pool in self.callers.values():
            if shows is not None:
                pool.used[shows] += 1


async def read_room(connection: AsyncConnection, now: dt.datetime, pacing: Pacing | None) -> CampaignRoom:
    """The room of all running campaigns, locked so that nobody else uses it too; none while an operator halts all."""
    if (await connection.execute(select(halts.c.scope).limit(1))).first() is not None:
        return CampaignRoom(halted=True)
    running = await _running(connection)
    in_flight = await _in_flight(connection)
    free = Counter({row.id: max(0, row.max_concurrency - in_flight[row.id]) for row in running})
    breakers: dict[str, Breaker] = {}
    if pacing is not None and running:
        breakers = await read_breakers(connection, [row.id for row in running], now, pacing)
        _hold_to_breakers(free, breakers, in_flight)
        await _hold_to_modes(connection, free, running, now, pacing)
    pools = await _caller_pools(connection, running, now)
    return CampaignRoom(free, _resting(running, now), pools, breakers=breakers)


async def read_breakers(
    connection: AsyncConnection, ids: Sequence[str], now: dt.datetime, pacing: Pacing
) -> dict[str, Breaker]:
    ended = await read_ended(connection, ids, now)
    return {campaign: pacing.breaker(past, now) for campaign, past in ended.items()}


async def _running(connection: AsyncConnection) -> Sequence[AnyRow]:
    query = select(campaigns).where(campaigns.c.state == CampaignState.RUNNING)
    rows = (await connection.execute(query.order_by(campaigns.c.priority.desc(), campaigns.c.id))).all()
    for campaign in sorted(row.id for row in rows):
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("campaign", campaign)})
    return rows


async def _in_flight(connection: AsyncConnection) -> Counter[str]:
    busy = await connection.execute(
        select(attempts.c.campaign_id, func.count())
        .where(attempts.c.state.in_((AttemptState.LEASED, AttemptState.PLACED)))
        .group_by(attempts.c.campaign_id)
    )
    return Counter({row[0]: row[1] for row in busy})


def _hold_to_breakers(free: Counter[str], breakers: dict[str, Breaker], in_flight: Counter[str]) -> None:
    """None while one is open, one call at a time on trial."""
    for campaign, breaker in breakers.items():
        if breaker.state is BreakerState.OPEN:
            free[campaign] = 0
        elif breaker.state is BreakerState.TRIAL:
            free[campaign] = min(free[campaign], 0 if in_flight[campaign] else 1)


async def _hold_to_modes(
    connection: AsyncConnection, free: Counter[str], running: Sequence[AnyRow], now: dt.datetime, pacing: Pacing
) -> None:
    """Campaigns with people share them: what one has under way, and may start now, the next one counts as its own."""
    with_people = [row for row in running if CampaignMode(row.mode).needs_people]
    flows = await read_flows(connection, with_people, now) if with_people else {}
    begun = 0
    for row in running:
        mode = CampaignMode(row.mode)
        flow = shared(flows[row.id], flows, begun) if row.id in flows else Flow(row.id, mode)
        free[row.id] = min(free[row.id], pacing.pace(flow))
        begun += free[row.id] if mode.needs_people else 0


def shared(flow: Flow, flows: dict[str, Flow], begun: int) -> Flow:
    """A campaign's flow with the calls of all others that may want the same people."""
    return replace(
        flow,
        ringing=sum(other.ringing for other in flows.values()) + begun,
        talking=sum(other.talking for other in flows.values()),
        waiting=sum(other.waiting for other in flows.values()),
        with_people=sum(other.with_people for other in flows.values()),
    )


def _resting(running: Sequence[AnyRow], now: dt.datetime) -> frozenset[str]:
    local = now.astimezone(SHANGHAI)
    minute = local.hour * 60 + local.minute
    return frozenset(
        row.id for row in running if row.hours_from is not None and not row.hours_from <= minute < row.hours_to
    )


async def _caller_pools(
    connection: AsyncConnection, running: Sequence[AnyRow], now: dt.datetime
) -> dict[str, CallerPool]:
    """Locked until the transaction ends: numbers may serve several campaigns."""
    with_pool = [row for row in running if row.callers]
    if not with_pool:
        return {}
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("callers", "")})
    numbers = {number for row in with_pool for number in row.callers}
    query = select(ledger.c.key, ledger.c.used).where(
        ledger.c.scope == CALLER_CALLS, ledger.c.day == civil_day(now), ledger.c.key.in_(numbers)
    )
    used = {row.key: row.used for row in await connection.execute(query)}
    return {row.id: CallerPool(tuple(row.callers), row.calls_per_caller, Counter(used)) for row in with_pool}
