"""Campaigns: which cases they take, started, stopped, and how far they have come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import AttemptState, TargetKind
from voicebot.domain.campaign import Campaign, CampaignProgress, CampaignState
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.pace import CampaignMode
from voicebot.store.cohorts import held_out
from voicebot.store.database import Database
from voicebot.store.dialling import wake, withdraw_orders
from voicebot.store.rows import AnyRow
from voicebot.store.schema import attempts, campaigns, cases, numbers
from voicebot.store.segments import open_cases, segment_from


class CampaignUnknown(LookupError):
    """There is no campaign with this id."""


class Campaigns:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, campaign: Campaign) -> None:
        """Add a campaign or change everything but its state."""
        change = {
            "name": campaign.name,
            "script": campaign.script,
            "segment": asdict(campaign.segment),
            "max_concurrency": campaign.max_concurrency,
            "priority": campaign.priority,
            "strategy": campaign.strategy,
            "segment_id": campaign.segment_id,
            "mode": campaign.mode,
            "most_abandoned": campaign.most_abandoned,
            "callers": list(campaign.callers),
            "calls_per_caller": campaign.calls_per_caller,
            "hours_from": _minutes(campaign.hours[0]) if campaign.hours else None,
            "hours_to": _minutes(campaign.hours[1]) if campaign.hours else None,
        }
        query = insert(campaigns).values(id=campaign.id, state=campaign.state, created_at=campaign.created_at, **change)
        async with self._database.begin() as connection:
            await _shift(connection, campaign)
            await connection.execute(query.on_conflict_do_update(index_elements=["id"], set_=change))

    async def find(self, campaign_id: str) -> Campaign | None:
        async with self._database.begin() as connection:
            row = (await connection.execute(select(campaigns).where(campaigns.c.id == campaign_id))).first()
        return _to_campaign(row) if row else None

    async def start(self, campaign_id: str, now: dt.datetime) -> int:
        """Let a campaign run and plan an attempt for each case of its segment that has none yet; how many.

        With a strategy nothing is planned here: its days bring the calls.
        Raises CampaignUnknown.
        """
        async with self._database.begin() as connection:
            row = (
                await connection.execute(
                    update(campaigns)
                    .where(campaigns.c.id == campaign_id)
                    .values(state=CampaignState.RUNNING, started_at=now, stopped_at=None)
                    .returning(campaigns)
                )
            ).first()
            if row is None:
                raise CampaignUnknown(campaign_id)
            await wake(connection)
            return 0 if row.strategy is not None else await _plan(connection, _to_campaign(row), now)

    async def stop(self, campaign_id: str, now: dt.datetime) -> None:
        """Dial no more; calls under way go on. Waiting attempts stay for the next start.

        Orders that no line has taken yet are withdrawn. Raises CampaignUnknown.
        """
        async with self._database.begin() as connection:
            change = update(campaigns).where(campaigns.c.id == campaign_id)
            result = await connection.execute(change.values(state=CampaignState.STOPPED, stopped_at=now))
            await withdraw_orders(connection, now, campaign_id)
            await wake(connection)
        if result.rowcount == 0:
            raise CampaignUnknown(campaign_id)

    async def pause(self, campaign_id: str, now: dt.datetime) -> bool:
        """Dial no more until `resume`; calls under way go on. False when it does not run."""
        async with self._database.begin() as connection:
            paused = await _turn(connection, campaign_id, CampaignState.RUNNING, CampaignState.PAUSED)
            if paused:
                await withdraw_orders(connection, now, campaign_id)
        return paused

    async def resume(self, campaign_id: str) -> bool:
        """Go on after a pause, with what waited; nothing new is planned. False when it is not paused."""
        async with self._database.begin() as connection:
            return await _turn(connection, campaign_id, CampaignState.PAUSED, CampaignState.RUNNING)

    async def finish_done(self, now: dt.datetime) -> list[str]:
        """Close running campaigns that have nothing left to do; their ids. One with a strategy goes on every day."""
        still_open = select(attempts.c.id).where(attempts.c.campaign_id == campaigns.c.id, _is_open())
        query = (
            update(campaigns)
            .where(campaigns.c.state == CampaignState.RUNNING, campaigns.c.strategy.is_(None), ~still_open.exists())
            .values(state=CampaignState.FINISHED, stopped_at=now)
            .returning(campaigns.c.id)
        )
        async with self._database.begin() as connection:
            return list((await connection.execute(query)).scalars())

    async def progress(self, campaign_id: str) -> CampaignProgress:
        """Raises CampaignUnknown."""
        found = await self._progress(campaigns.c.id == campaign_id)
        if not found:
            raise CampaignUnknown(campaign_id)
        return found[0]

    async def all(self) -> list[CampaignProgress]:
        """Every campaign and its progress, newest first."""
        return await self._progress(text("true"))

    async def _progress(self, condition: Any) -> list[CampaignProgress]:
        async with self._database.begin() as connection:
            rows = (
                await connection.execute(
                    select(campaigns).where(condition).order_by(campaigns.c.created_at.desc(), campaigns.c.id)
                )
            ).all()
            ids = [row.id for row in rows]
            states = await _count(connection, ids, attempts.c.state)
            results = await _count(connection, ids, attempts.c.disposition)
            scope = await connection.execute(
                select(
                    attempts.c.campaign_id,
                    func.count(attempts.c.case_id.distinct()),
                    func.count(attempts.c.case_id.distinct()).filter(_is_open()),
                )
                .where(attempts.c.campaign_id.in_(ids))
                .group_by(attempts.c.campaign_id)
            )
            sizes = {row[0]: (row[1], row[2]) for row in scope}
        progress = []
        for row in rows:
            size, still_open = sizes.get(row.id, (0, 0))
            progress.append(
                CampaignProgress(
                    campaign=_to_campaign(row),
                    cases=size,
                    cases_done=size - still_open,
                    attempts={AttemptState(name): n for name, n in states.get(row.id, {}).items()},
                    dispositions=results.get(row.id, {}),
                )
            )
        return progress


async def _turn(connection: AsyncConnection, campaign_id: str, from_: CampaignState, to: CampaignState) -> bool:
    change = update(campaigns).where(campaigns.c.id == campaign_id, campaigns.c.state == from_).values(state=to)
    turned = (await connection.execute(change)).rowcount > 0
    await wake(connection)
    return turned


async def _shift(connection: AsyncConnection, campaign: Campaign) -> None:
    """What waits follows a campaign's new priority; each attempt keeps its place within the campaign."""
    known = select(campaigns.c.priority).where(campaigns.c.id == campaign.id).with_for_update()
    before = (await connection.execute(known)).scalar_one_or_none()
    if before is None or before == campaign.priority:
        return
    waiting = (attempts.c.campaign_id == campaign.id, attempts.c.state == AttemptState.WAITING)
    shifted = attempts.c.priority + (campaign.priority - before)
    await connection.execute(update(attempts).where(*waiting).values(priority=shifted))


def _is_open() -> ColumnElement[bool]:
    return attempts.c.state.in_((AttemptState.WAITING, AttemptState.LEASED, AttemptState.PLACED))


async def _count(
    connection: AsyncConnection, ids: list[str], column: ColumnElement[Any]
) -> Mapping[str, dict[str, int]]:
    rows = await connection.execute(
        select(attempts.c.campaign_id, column, func.count())
        .where(attempts.c.campaign_id.in_(ids), column.is_not(None))
        .group_by(attempts.c.campaign_id, column)
    )
    counts: dict[str, dict[str, int]] = {}
    for campaign_id, name, count in rows:
        counts.setdefault(campaign_id, {})[name] = count
    return counts


async def _plan(connection: AsyncConnection, campaign: Campaign, now: dt.datetime) -> int:
    best = (
        select(numbers.c.number)
        .where(numbers.c.debtor_id == cases.c.debtor_id, numbers.c.valid, numbers.c.kind == TargetKind.DEBTOR)
        .order_by(numbers.c.rank, numbers.c.id)
        .limit(1)
        .scalar_subquery()
    )
    tried = select(attempts.c.id).where(attempts.c.campaign_id == campaign.id, attempts.c.case_id == cases.c.id)
    chosen = select(
        literal(campaign.id),
        cases.c.id,
        cases.c.debtor_id,
        best,
        literal(campaign.script),
        literal(now),
        literal(campaign.priority),
    ).where(
        best.is_not(None),
        ~tried.exists(),
        ~held_out(cases.c.id),
        *open_cases(campaign.segment, now.astimezone(SHANGHAI).date()),
    )
    columns = ["campaign_id", "case_id", "debtor_id", "number", "script", "not_before", "priority"]
    planned = insert(attempts).from_select(columns, chosen).on_conflict_do_nothing().returning(attempts.c.id)
    return len((await connection.execute(planned)).all())


def _to_campaign(row: AnyRow) -> Campaign:
    return Campaign(
        id=row.id,
        name=row.name,
        script=row.script,
        state=CampaignState(row.state),
        created_at=row.created_at,
        segment=segment_from(row.segment),
        max_concurrency=row.max_concurrency,
        priority=row.priority,
        started_at=row.started_at,
        stopped_at=row.stopped_at,
        hours=None if row.hours_from is None else (_clock(row.hours_from), _clock(row.hours_to)),
        strategy=row.strategy,
        mode=CampaignMode(row.mode),
        most_abandoned=row.most_abandoned,
        callers=tuple(row.callers),
        calls_per_caller=row.calls_per_caller,
        segment_id=row.segment_id,
    )


def _minutes(clock: dt.time) -> int:
    return clock.hour * 60 + clock.minute


def _clock(minutes: int) -> dt.time:
    return dt.time(*divmod(minutes, 60))
