"""Workers: who carries calls, on whatever machine; who is taken for dead, and what becomes of its calls."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Row, case, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.fleet import DEAD_AFTER_S, Beat, ControlSeen, Joining, Told, WorkerSeen, WorkerState
from voicebot.store.database import CLOSED, Database
from voicebot.store.schema import calls
from voicebot.store.schema_workers import NOW, controls, workers

KEPT = dt.timedelta(days=1)
"""How long a worker is shown that left or died."""
_LIVING = (WorkerState.UP, WorkerState.DRAINING)
_AGE = func.extract("epoch", NOW - workers.c.seen_at).label("age_s")

# Orders that a line took and never began are calls all the same: they may have rung.
_NEVER_BEGUN = text("""
    INSERT INTO calls (id, direction, number, attempt_id, case_id, campaign_id, worker, started_at, script)
    SELECT a.call_id, 'outbound', a.number, a.id, a.case_id, a.campaign_id, c.taken_by, c.taken_at, a.script
    FROM attempts a
    JOIN commands c ON c.verb = 'dial' AND c.payload ->> 'call_id' = a.call_id AND c.taken_by = :worker
    WHERE a.state IN ('leased', 'placed') AND a.call_id IS NOT NULL
    ON CONFLICT DO NOTHING
""")


# Who was given back because the call was taken for over still talks in it.
_BUSY_AGAIN = text("""
    UPDATE agents SET presence = 'busy', presence_at = clock_timestamp(), call_id = talking.call_id, wrap_until = NULL
    FROM (
        SELECT DISTINCT ON (call_id) call_id, kind, data ->> 'agent' AS agent FROM facts
        WHERE call_id = ANY(:ids) AND kind IN ('joined', 'agent_left') ORDER BY call_id, seq DESC
    ) AS talking
    WHERE talking.kind = 'joined' AND agents.id = talking.agent AND agents.presence IN ('ready', 'wrap_up')
""")


class NameTaken(RuntimeError):
    """Another worker lives under this name."""


class Workers:
    """All ages are by the database's clock. A worker holds its name by an epoch; an older one is refused."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def join(self, joining: Joining, running: Collection[str] = ()) -> int:
        """Begin a life, or come back to one; the epoch to beat with.

        `running`: calls that go on, also where they were given up meanwhile. All others that an earlier life left
        open are lost from here on. A drain that was ordered ends with the life in which it was. Raises NameTaken while
        a worker of another home lives under the name.
        """
        async with self._database.begin() as connection:
            query = select(workers, _AGE).where(workers.c.name == joining.name).with_for_update()
            row = (await connection.execute(query)).first()
            if row is not None and row.state in _LIVING and row.home != joining.home and row.age_s < DEAD_AFTER_S:
                raise NameTaken(
                    f"a worker on {row.machine} lives under the name {joining.name}: give this one another --name"
                )
            epoch = await _write(connection, joining, row)
            await _revive(connection, running)
            await _lose(connection, joining.name, "cut by a crash; its recording is gone", running)
        return epoch

    async def beat(self, name: str, epoch: int, beat: Beat) -> Told | None:
        """A sign of life; None when the epoch is over: somebody took the worker for dead, or another life began."""
        values = {
            "seen_at": NOW,
            "calls": beat.calls,
            "most": beat.most,
            "may_dial": beat.may_dial,
            "skew_ms": beat.skew_ms,
            "figures": dict(beat.figures),
            "state": case((workers.c.drain, WorkerState.DRAINING.value), else_=workers.c.state),
        }
        query = update(workers).where(*_mine(name, epoch)).values(**values)
        async with self._database.begin() as connection:
            row = (await connection.execute(query.returning(workers.c.seen_at, workers.c.drain))).first()
        return Told(row.seen_at, row.drain) if row else None

    async def leave(self, name: str, epoch: int) -> None:
        """The worker ends and has no calls any more."""
        change = {"state": WorkerState.LEFT.value, "calls": 0, "may_dial": False, "seen_at": NOW}
        async with self._database.begin() as connection:
            await connection.execute(update(workers).where(*_mine(name, epoch)).values(**change))

    async def drain(self, name: str, by: str, on: bool = True) -> list[str]:
        """Order a worker, or all of a machine, to take no further calls, or to take calls again; whom that reached."""
        reached = (or_(workers.c.name == name, workers.c.machine == name), workers.c.state.in_(_LIVING))
        state = WorkerState.DRAINING if on else WorkerState.UP
        change = {"drain": on, "drain_by": by if on else "", "state": state.value}
        query = update(workers).where(*reached).values(**change).returning(workers.c.name)
        async with self._database.begin() as connection:
            return sorted((await connection.execute(query)).scalars())

    async def all(self) -> list[WorkerSeen]:
        """Living workers, and those that left or died within a day; by name."""
        lately = or_(workers.c.state.in_(_LIVING), workers.c.seen_at > NOW - KEPT)
        async with self._database.begin() as connection:
            rows = await connection.execute(select(workers, _AGE).where(lately).order_by(workers.c.name))
            return [_to_worker(row) for row in rows]

    async def declare_dead(self, name: str, seen_at: dt.datetime) -> list[str] | None:
        """Take a worker for dead that gave no sign of life since `seen_at`: its epoch is over, its calls are lost.

        The ids of those calls; None when it has shown itself meanwhile, or somebody else was sooner.
        """
        dead = (workers.c.name == name, workers.c.seen_at == seen_at, workers.c.state.in_(_LIVING))
        change = {"state": WorkerState.GONE.value, "epoch": workers.c.epoch + 1, "may_dial": False, "calls": 0}
        async with self._database.begin() as connection:
            result = await connection.execute(update(workers).where(*dead).values(**change))
            if result.rowcount == 0:
                return None
            return await _lose(connection, name, f"worker {name} lost; whether it was hung up is not known")

    # --- controls

    async def beat_control(
        self, name: str, version: str, schema: str, *, http: str, leads: bool, skew_ms: int
    ) -> dt.datetime:
        """A sign of life of a control process; the database's time."""
        values = {
            "version": version, "schema": schema, "http": http, "leads": leads, "skew_ms": skew_ms, "seen_at": NOW,
        }  # fmt: skip
        query = insert(controls).values(name=name, **values)
        query = query.on_conflict_do_update(index_elements=["name"], set_=values)
        async with self._database.begin() as connection:
            at: dt.datetime = (await connection.execute(query.returning(controls.c.seen_at))).scalar_one()
        return at

    async def leave_control(self, name: str) -> None:
        async with self._database.begin() as connection:
            await connection.execute(delete(controls).where(controls.c.name == name))

    async def controls(self) -> list[ControlSeen]:
        """Controls heard of within a day; who leads first."""
        age = func.extract("epoch", NOW - controls.c.seen_at).label("age_s")
        query = select(controls, age).where(controls.c.seen_at > NOW - KEPT)
        async with self._database.begin() as connection:
            rows = await connection.execute(query.order_by(controls.c.leads.desc(), controls.c.name))
            return [_to_control(row) for row in rows]


async def _write(connection: AsyncConnection, joining: Joining, row: Row[Any] | None) -> int:
    drains = row is not None and row.drain and row.life == joining.life
    values = {
        "machine": joining.machine,
        "home": joining.home,
        "life": joining.life,
        "state": (WorkerState.DRAINING if drains else WorkerState.UP).value,
        "version": joining.version,
        "schema": joining.schema,
        "sip": joining.sip,
        "joined_at": NOW,
        "seen_at": NOW,
        "calls": 0,
        "may_dial": False,
        "drain": drains,
    }
    query = insert(workers).values(name=joining.name, **values)
    change = values | {"epoch": workers.c.epoch + 1}
    query = query.on_conflict_do_update(index_elements=["name"], set_=change)
    return int((await connection.execute(query.returning(workers.c.epoch))).scalar_one())


async def _revive(connection: AsyncConnection, call_ids: Collection[str]) -> None:
    """Calls that were given up and go on all the same, on a worker that came back."""
    values = {"ended_at": None, "disposition": None, "why": "", "lost": False}
    await connection.execute(update(calls).where(calls.c.id.in_(call_ids), calls.c.lost).values(**values))
    await connection.execute(_BUSY_AGAIN, {"ids": list(call_ids)})


async def _lose(connection: AsyncConnection, worker: str, why: str, but: Collection[str] = ()) -> list[str]:
    """End all open calls of a worker as lost, in the caller's transaction; who waits for them is woken."""
    await connection.execute(_NEVER_BEGUN, {"worker": worker})
    mine = (calls.c.worker == worker, calls.c.ended_at.is_(None), calls.c.id.not_in(but))
    values = {"ended_at": NOW, "disposition": "failed", "why": why, "lost": True}
    query = update(calls).where(*mine).values(**values).returning(calls.c.id)
    lost = sorted((await connection.execute(query)).scalars())
    await _wake(connection, lost)
    return lost


async def _wake(connection: AsyncConnection, call_ids: Iterable[str]) -> None:
    for call_id in call_ids:
        await connection.execute(select(func.pg_notify(CLOSED, call_id)))


def _mine(name: str, epoch: int) -> tuple[Any, ...]:
    return workers.c.name == name, workers.c.epoch == epoch, workers.c.state.in_(_LIVING)


def _to_worker(row: Row[Any]) -> WorkerSeen:
    return WorkerSeen(
        name=row.name,
        machine=row.machine,
        state=WorkerState(row.state),
        epoch=row.epoch,
        version=row.version,
        schema=row.schema,
        sip=row.sip,
        joined_at=row.joined_at,
        seen_at=row.seen_at,
        age_s=float(row.age_s),
        calls=row.calls,
        most=row.most,
        may_dial=row.may_dial,
        drain=row.drain,
        drain_by=row.drain_by,
        skew_ms=row.skew_ms,
        figures=row.figures,
    )


def _to_control(row: Row[Any]) -> ControlSeen:
    return ControlSeen(
        row.name, row.version, row.schema, row.http, row.leads, row.seen_at, float(row.age_s), row.skew_ms
    )
