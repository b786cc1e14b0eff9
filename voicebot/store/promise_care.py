"""Promise care: on its day a promise is brought to mind, and after the days of grace it is kept, partly kept or broken.

Each step is one transaction: the promise's state, what follows it and what other systems are told.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import Purpose
from voicebot.domain.campaign import CampaignState
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.event import Event, EventKind
from voicebot.domain.message import PlannedMessage
from voicebot.domain.payment import PromiseTerms, promise_state
from voicebot.domain.records import PromiseState
from voicebot.domain.ticket import NewTicket, TicketKind, TicketRule
from voicebot.store.attempts import ADD
from voicebot.store.database import Database
from voicebot.store.events import emit
from voicebot.store.outbox import write_messages
from voicebot.store.rows import AnyRow
from voicebot.store.schema import attempts, campaigns, cases, promises
from voicebot.store.schema_people import agents
from voicebot.store.tickets import open_ticket

BROKEN = (PromiseState.BROKEN, PromiseState.PARTLY_KEPT)
_TOLD = {PromiseState.BROKEN: EventKind.PROMISE_BROKEN, PromiseState.PARTLY_KEPT: EventKind.PROMISE_PARTLY_KEPT}


@dataclass(frozen=True, slots=True)
class Care:
    """How promises are looked after: when they count as kept, with which scripts the bot rings, when a person does.

    `human_after`: at this many broken promises of a case in a row a person takes over, by `rule`.
    """

    terms: PromiseTerms
    rule: TicketRule
    day_script: str
    missed_script: str
    human_after: int = 2


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A promise that was not (wholly) kept, and what followed: a call by the bot, or a ticket for a person."""

    promise_id: int
    case_id: str
    state: PromiseState
    ticket_id: int | None = None
    called: bool = False


class PromiseCare:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def give_up(self, care: Care, call_at: dt.datetime, now: dt.datetime, limit: int = 100) -> list[GivenUp]:
        """Settle promises whose days of grace are over; `call_at`: when the bot may ring about them."""
        today = now.astimezone(SHANGHAI).date()
        last = today - dt.timedelta(days=care.terms.grace_days + 1)
        query = (
            select(promises)
            .where(promises.c.state == PromiseState.OPEN, promises.c.date <= last)
            .order_by(promises.c.date, promises.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        async with self._database.begin() as connection:
            over = (await connection.execute(query)).all()
            return [await _settle(connection, row, care, today, call_at, now) for row in over]

    async def remind(
        self, script: str, call_at: dt.datetime, message: PlannedMessage | None, now: dt.datetime
    ) -> int:
        """See that promises for today are brought to mind by a call, and by a message where one is given; how many.

        Those that somebody planned before are left as they are.
        """
        today = now.astimezone(SHANGHAI).date()
        since = dt.datetime.combine(today, dt.time(), SHANGHAI)
        planned = select(attempts.c.id).where(
            attempts.c.case_id == promises.c.case_id,
            attempts.c.purpose == Purpose.PROMISE_DAY,
            attempts.c.not_before >= since,
        )
        query = (
            select(promises.c.id, promises.c.case_id)
            .join(cases, cases.c.id == promises.c.case_id)
            .where(promises.c.state == PromiseState.OPEN, promises.c.date == today, promises.c.confirmed)
            .where(promises.c.made_at < since, cases.c.status == "open", ~planned.exists())
        )
        done = 0
        async with self._database.begin() as connection:
            for row in (await connection.execute(query)).all():
                done += await _ring(connection, row.case_id, Purpose.PROMISE_DAY, script, call_at)
                if message is not None:
                    await write_messages(connection, row.case_id, None, row.id, [message], now)
        return done


async def _settle(
    connection: AsyncConnection, promise: AnyRow, care: Care, today: dt.date, call_at: dt.datetime, now: dt.datetime
) -> GivenUp:
    state = promise_state(promise.amount_fen, promise.paid_fen, promise.date, today, care.terms)
    change = update(promises).where(promises.c.id == promise.id).values(state=state, settled_at=now)
    await connection.execute(change)
    data = {"promise_id": promise.id, "case_id": promise.case_id, "date": promise.date.isoformat(),
            "amount_fen": promise.amount_fen, "paid_fen": promise.paid_fen}  # fmt: skip
    told = _TOLD.get(state, EventKind.PROMISE_KEPT)
    await emit(connection, Event(f"{told.value}:{promise.id}", told, now, data, promise.case_id))
    status = (await connection.execute(select(cases.c.status).where(cases.c.id == promise.case_id))).scalar_one()
    if state is PromiseState.KEPT or status != "open":
        return GivenUp(promise.id, promise.case_id, state)
    if await _in_a_row(connection, promise.case_id) >= care.human_after:
        ticket_id = await _to_a_person(connection, promise, care, now)
        return GivenUp(promise.id, promise.case_id, state, ticket_id)
    called = await _ring(connection, promise.case_id, Purpose.PROMISE_MISSED, care.missed_script, call_at)
    return GivenUp(promise.id, promise.case_id, state, called=called)


async def _in_a_row(connection: AsyncConnection, case_id: str) -> int:
    """How many promises of the case were broken since the last one that was kept."""
    last_kept = (
        select(func.coalesce(func.max(promises.c.id), 0))
        .where(promises.c.case_id == case_id, promises.c.state == PromiseState.KEPT)
        .scalar_subquery()
    )
    query = select(func.count()).where(
        promises.c.case_id == case_id, promises.c.state.in_(BROKEN), promises.c.id > last_kept
    )
    return int((await connection.execute(query)).scalar_one())


async def _to_a_person(connection: AsyncConnection, promise: AnyRow, care: Care, now: dt.datetime) -> int | None:
    """A ticket, and the case for whoever has it, else for the agent with the fewest cases; the bot reminds no more."""
    load = select(func.count()).where(cases.c.agent_id == agents.c.id, cases.c.status == "open").scalar_subquery()
    known = (await connection.execute(select(cases.c.agent_id).where(cases.c.id == promise.case_id))).scalar_one()
    free = select(agents.c.id).order_by(load, agents.c.id).limit(1)
    agent_id = known or (await connection.execute(free)).scalar_one_or_none()
    if agent_id is not None:
        given: dict[str, Any] = {"agent_id": agent_id, "agent_since": now}
        await connection.execute(update(cases).where(cases.c.id == promise.case_id).values(**given))
    text = f"承诺 {promise.date:%m月%d日} 未兑现，连续第 {care.human_after} 次或以上，转人工跟进。"
    new = NewTicket(TicketKind.BROKEN_PROMISE, promise.case_id, None, text)
    return await open_ticket(connection, new, care.rule, now, agent_id)


async def _ring(connection: AsyncConnection, case_id: str, purpose: Purpose, script: str, at: dt.datetime) -> bool:
    """Plan a call within the campaign that rang last, as long as that runs."""
    last = (
        select(attempts.c.campaign_id, campaigns.c.state)
        .outerjoin(campaigns, attempts.c.campaign_id == campaigns.c.id)
        .where(attempts.c.case_id == case_id)
        .order_by(attempts.c.id.desc())
        .limit(1)
    )
    row = (await connection.execute(last)).first()
    if row is not None and row.state == CampaignState.STOPPED:
        campaign_id = row.campaign_id  # the operator stopped it: what follows waits for the next start
    else:
        campaign_id = row.campaign_id if row is not None and row.state == CampaignState.RUNNING else None
    values = {"case_id": case_id, "script": script, "not_before": at, "number": None, "purpose": purpose,
              "campaign_id": campaign_id, "priority": 0}  # fmt: skip
    return (await connection.execute(ADD, values)).scalar_one_or_none() is not None


