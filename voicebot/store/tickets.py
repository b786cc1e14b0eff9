"""Tickets: opened once for a case and kind, owned by somebody, handed up when late, closed with a decision."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import AttemptState
from voicebot.domain.event import Event, EventKind
from voicebot.domain.records import AlertKind
from voicebot.domain.ticket import Decision, NewTicket, Ticket, TicketKind, TicketNote, TicketRule, TicketState
from voicebot.store.database import Database
from voicebot.store.events import emit
from voicebot.store.rows import AnyRow
from voicebot.store.schema import attempts, cases, contact_stops, debtors
from voicebot.store.schema_follow_up import ticket_notes, tickets
from voicebot.store.schema_people import alerts, users, wrapups

DAY = dt.timedelta(days=1)
UP = ("supervisor", "admin")
"""Who gets a late ticket: a supervisor, a day later an administrator."""
PRODUCT = "voicebot"


class Tickets:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, new: NewTicket, rule: TicketRule, now: dt.datetime) -> int | None:
        """Open a ticket; another call about the same becomes a note. Its id, None when this call was noted before."""
        async with self._database.begin() as connection:
            return await open_ticket(connection, new, rule, now)

    async def find(self, ticket_id: int) -> Ticket | None:
        """One ticket with its notes, oldest first."""
        async with self._database.begin() as connection:
            row = (await connection.execute(_select().where(tickets.c.id == ticket_id))).first()
            query = select(ticket_notes).where(ticket_notes.c.ticket_id == ticket_id).order_by(ticket_notes.c.id)
            notes = (await connection.execute(query)).all() if row else []
        told = tuple(TicketNote(note.at, note.by, note.text, note.call_id) for note in notes)
        return _to_ticket(row, told) if row else None

    async def list(
        self,
        state: TicketState | None = TicketState.OPEN,
        kind: TicketKind | None = None,
        owner: str | None = None,
        limit: int = 200,
    ) -> Sequence[Ticket]:
        """Tickets, the nearest deadline first; closed ones last closed first."""
        query = _select().limit(limit)
        wanted = ((tickets.c.state, state), (tickets.c.kind, kind), (tickets.c.owner, owner))
        query = query.where(*(column == value for column, value in wanted if value is not None))
        query = query.order_by(tickets.c.closed_at.desc().nulls_first(), tickets.c.deadline, tickets.c.id)
        async with self._database.begin() as connection:
            return [_to_ticket(row) for row in await connection.execute(query)]

    async def of_case(self, case_id: str) -> Sequence[Ticket]:
        """A case's tickets, newest first."""
        query = _select().where(tickets.c.case_id == case_id).order_by(tickets.c.id.desc())
        async with self._database.begin() as connection:
            return [_to_ticket(row) for row in await connection.execute(query)]

    async def unopened(self, codes: Sequence[str], since: dt.datetime) -> Sequence[tuple[str, str | None, str, str]]:
        """Calls of which a person wrote one of `codes` since then and no ticket knows: call, case, code, notes."""
        known = select(ticket_notes.c.id).where(ticket_notes.c.call_id == wrapups.c.call_id)
        query = select(wrapups.c.call_id, wrapups.c.case_id, wrapups.c.code, wrapups.c.notes).where(
            wrapups.c.done_at >= since, wrapups.c.code.in_(codes), ~known.exists()
        )
        async with self._database.begin() as connection:
            rows = await connection.execute(query.order_by(wrapups.c.id))
            return [(row.call_id, row.case_id, row.code, row.notes) for row in rows]

    async def note(self, ticket_id: int, by: str, text: str, now: dt.datetime) -> bool:
        """Add a note; False without such an open ticket."""
        async with self._database.begin() as connection:
            found = select(tickets.c.id).where(tickets.c.id == ticket_id, tickets.c.state == TicketState.OPEN)
            if (await connection.execute(found)).first() is None:
                return False
            await _note(connection, ticket_id, by, text, now)
        return True

    async def give(self, ticket_id: int, owner: str, by: str, now: dt.datetime) -> bool:
        """Make somebody the owner; False when the ticket is closed or nobody is called so."""
        known = select(users.c.username).where(users.c.username == owner, ~users.c.disabled)
        change = update(tickets).where(tickets.c.id == ticket_id, tickets.c.state == TicketState.OPEN, known.exists())
        async with self._database.begin() as connection:
            if (await connection.execute(change.values(owner=owner))).rowcount == 0:
                return False
            await _note(connection, ticket_id, by, f"负责人：{owner}", now)
        return True

    async def close(
        self,
        ticket_id: int,
        by: str,
        decision: Decision,
        now: dt.datetime,
        *,
        text: str = "",
        rest_until: dt.date | None = None,
        lifts: Sequence[str] = (),
    ) -> bool:
        """Close a ticket; False when it was closed before.

        RESUME lifts the stops in `lifts` that its calls set, and contact goes on unless another ticket holds the
        case. REST leaves it suspended until `rest_until` (None: until somebody resumes it).
        """
        async with self._database.begin() as connection:
            change = {"state": TicketState.CLOSED, "closed_at": now, "closed_by": by, "decision": decision,
                      "rest_until": rest_until if decision is Decision.REST else None}  # fmt: skip
            query = update(tickets).where(tickets.c.id == ticket_id, tickets.c.state == TicketState.OPEN)
            row = (await connection.execute(query.values(**change).returning(tickets))).first()
            if row is None:
                return False
            if text:
                await _note(connection, ticket_id, by, text, now)
            if decision is Decision.RESUME:
                await _lift(connection, row, by, lifts, now)
                await _resume(connection, row.case_id, now)
            elif decision is Decision.CLOSE_CASE and row.case_id is not None:
                await _end_case(connection, row.case_id, now)
            data = {"ticket_id": ticket_id, "kind": row.kind, "decision": decision.value, "case_id": row.case_id}
            event = Event(f"ticket.closed:{ticket_id}", EventKind.TICKET_CLOSED, now, data, row.case_id)
            await emit(connection, event)
        return True

    async def rested(self, today: dt.date, now: dt.datetime) -> Sequence[str]:
        """Let cases come back whose rest is over; their ids."""
        over = (tickets.c.decision == Decision.REST, tickets.c.rest_until <= today, tickets.c.suspended)
        async with self._database.begin() as connection:
            query = update(tickets).where(*over).values(suspended=False).returning(tickets.c.case_id)
            ended = [case for case in (await connection.execute(query)).scalars() if case is not None]
            return [case for case in dict.fromkeys(ended) if await _resume(connection, case, now)]

    async def escalate(self, now: dt.datetime) -> Sequence[int]:
        """Hand late tickets up, a step a day, and alert the wall; their ids."""
        query = (
            select(tickets.c.id, tickets.c.kind, tickets.c.level, tickets.c.deadline)
            .where(tickets.c.state == TicketState.OPEN, tickets.c.deadline < now, tickets.c.level < len(UP))
            .with_for_update(skip_locked=True)
        )
        handed: list[int] = []
        async with self._database.begin() as connection:
            for row in (await connection.execute(query)).all():
                if row.deadline + row.level * DAY > now:
                    continue
                owner = await _least_busy(connection, UP[row.level])
                change = {"level": row.level + 1} | ({"owner": owner} if owner else {})
                await connection.execute(update(tickets).where(tickets.c.id == row.id).values(**change))
                await _note(connection, row.id, PRODUCT, f"逾期未办结，升级给 {owner or UP[row.level]}", now)
                alert = {"at": now, "kind": AlertKind.TICKET_LATE.value, "text": f"工单 {row.id}（{row.kind}）超过期限"}
                await connection.execute(alerts.insert().values(**alert))
                handed.append(row.id)
        return handed


async def open_ticket(
    connection: AsyncConnection, new: NewTicket, rule: TicketRule, now: dt.datetime, agent_id: str | None = None
) -> int | None:
    """As Tickets.open, in the caller's transaction; `agent_id`: whose user should own it."""
    owner = await _user_of(connection, agent_id) or await _least_busy(connection, rule.team)
    values = {
        "kind": new.kind.value, "case_id": new.case_id, "call_id": new.call_id, "team": rule.team, "owner": owner,
        "opened_at": now, "deadline": now + rule.due,
    }  # fmt: skip
    query = insert(tickets).values(**values).on_conflict_do_nothing().returning(tickets.c.id)
    ticket_id: int | None = (await connection.execute(query)).scalar_one_or_none()
    if ticket_id is None:
        return await _again(connection, new, now)
    await _note(connection, ticket_id, PRODUCT, new.text, now, new.call_id)
    if rule.suspends and new.case_id is not None:
        open_case = (cases.c.id == new.case_id, cases.c.status == "open")
        await connection.execute(update(cases).where(*open_case).values(status="suspended", updated_at=now))
        await connection.execute(update(tickets).where(tickets.c.id == ticket_id).values(suspended=True))
    data = {"ticket_id": ticket_id, "kind": new.kind.value, "case_id": new.case_id, "call_id": new.call_id,
            "deadline": (now + rule.due).isoformat()}  # fmt: skip
    await emit(connection, Event(f"ticket.opened:{ticket_id}", EventKind.TICKET_OPENED, now, data, new.case_id))
    return ticket_id


async def _again(connection: AsyncConnection, new: NewTicket, now: dt.datetime) -> int | None:
    """A further call about what is being looked into: a note, once for each call."""
    same = (tickets.c.kind == new.kind, tickets.c.case_id == new.case_id, tickets.c.state == TicketState.OPEN)
    ticket_id: int | None = (await connection.execute(select(tickets.c.id).where(*same))).scalar_one_or_none()
    if ticket_id is None:
        return None
    return ticket_id if await _note(connection, ticket_id, PRODUCT, new.text, now, new.call_id) else None


async def _note(
    connection: AsyncConnection, ticket_id: int, by: str, text: str, now: dt.datetime, call_id: str | None = None
) -> bool:
    values = {"ticket_id": ticket_id, "at": now, "by": by, "text": text[:2000], "call_id": call_id}
    query = insert(ticket_notes).values(**values).on_conflict_do_nothing().returning(ticket_notes.c.id)
    return (await connection.execute(query)).first() is not None


async def _user_of(connection: AsyncConnection, agent_id: str | None) -> str | None:
    query = select(users.c.username).where(users.c.agent_id == agent_id, ~users.c.disabled).order_by(users.c.username)
    return (await connection.execute(query.limit(1))).scalar_one_or_none() if agent_id else None


async def _least_busy(connection: AsyncConnection, team: str) -> str | None:
    """Who of a team has the fewest open tickets; where the team is empty, a supervisor, else an administrator."""
    busy = select(func.count()).where(tickets.c.owner == users.c.username, tickets.c.state == TicketState.OPEN)
    for role in dict.fromkeys((team, *UP)):
        query = select(users.c.username).where(users.c.role == role, ~users.c.disabled)
        found = await connection.execute(query.order_by(busy.scalar_subquery(), users.c.username).limit(1))
        owner: str | None = found.scalar_one_or_none()
        if owner is not None:
            return owner
    return None


async def _lift(
    connection: AsyncConnection, ticket: AnyRow, by: str, lifts: Sequence[str], now: dt.datetime
) -> None:
    """Stops that came of this ticket's calls and that a person may lift."""
    told = select(ticket_notes.c.call_id).where(ticket_notes.c.ticket_id == ticket.id)
    ours = (contact_stops.c.cleared_at.is_(None), contact_stops.c.reason.in_(lifts), contact_stops.c.call_id.in_(told))
    await connection.execute(update(contact_stops).where(*ours).values(cleared_at=now, cleared_by=by))


async def _resume(connection: AsyncConnection, case_id: str | None, now: dt.datetime) -> bool:
    """Open a suspended case again unless an open ticket, or one that says rest, still holds it."""
    holds = select(tickets.c.id).where(
        tickets.c.case_id == case_id,
        tickets.c.suspended,
        or_(tickets.c.state == TicketState.OPEN, tickets.c.decision == Decision.REST),
    )
    change = update(cases).where(cases.c.id == case_id, cases.c.status == "suspended", ~holds.exists())
    return (await connection.execute(change.values(status="open", updated_at=now))).rowcount > 0


async def _end_case(connection: AsyncConnection, case_id: str, now: dt.datetime) -> None:
    await connection.execute(update(cases).where(cases.c.id == case_id).values(status="closed", updated_at=now))
    waiting = (attempts.c.case_id == case_id, attempts.c.state == AttemptState.WAITING)
    ended = {"state": AttemptState.CANCELLED, "settled_at": now, "why": "case closed"}
    await connection.execute(update(attempts).where(*waiting).values(**ended))


def _select() -> Select[Any]:
    tables = tickets.outerjoin(cases, tickets.c.case_id == cases.c.id).outerjoin(
        debtors, cases.c.debtor_id == debtors.c.id
    )
    return select(tickets, debtors.c.name.label("debtor_name")).select_from(tables)


def _to_ticket(row: AnyRow, notes: tuple[TicketNote, ...] = ()) -> Ticket:
    return Ticket(
        id=row.id,
        kind=TicketKind(row.kind),
        state=TicketState(row.state),
        team=row.team,
        opened_at=row.opened_at,
        deadline=row.deadline,
        case_id=row.case_id,
        call_id=row.call_id,
        owner=row.owner,
        debtor_name=row.debtor_name or "",
        level=row.level,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        decision=Decision(row.decision) if row.decision else None,
        rest_until=row.rest_until,
        notes=notes,
    )
