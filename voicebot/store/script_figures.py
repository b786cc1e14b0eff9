"""ScriptCalls: what real calls made of a script and its versions, and the chats kept as tests of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.journal import FactKind
from voicebot.domain.outcome import Disposition
from voicebot.domain.script_version import Play, ScriptFigures
from voicebot.store.database import Database
from voicebot.store.schema import calls, facts
from voicebot.store.schema_scripts import script_plays, script_versions

_PROMISES = (Disposition.PROMISE_TO_PAY, Disposition.PARTIAL_PROMISE)


class ScriptCalls:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def figures(self, script: str, number: int | None = None, since: dt.datetime | None = None) -> ScriptFigures:
        """Calls that were answered and are over, of one version or of all of them, begun from `since` on."""
        which = [calls.c.script == script, calls.c.answered_at.is_not(None), calls.c.ended_at.is_not(None)]
        if since is not None:
            which.append(calls.c.started_at >= since)
        if number is not None:
            sha256 = select(script_versions.c.sha256).where(
                script_versions.c.script == script, script_versions.c.number == number
            )
            which.append(calls.c.script_sha256.in_(sha256))
        async with self._database.begin() as connection:
            outcomes = await _outcomes(connection, which)
            verified, handoffs = await _totals(connection, which)
            nodes, branches = await _hits(connection, which)
        return ScriptFigures(
            calls=sum(outcomes.values()),
            verified=verified,
            promises=sum(outcomes.get(promise, 0) for promise in _PROMISES),
            handoffs=handoffs,
            outcomes=outcomes,
            nodes=nodes,
            branches=branches,
        )

    # -- plays

    async def plays(self, script: str) -> Sequence[Play]:
        query = select(script_plays).where(script_plays.c.script == script).order_by(script_plays.c.name)
        async with self._database.begin() as connection:
            return [Play(**row._mapping) for row in await connection.execute(query)]

    async def keep_play(self, play: Play) -> int:
        """Keep a chat under its name, in the place of an older one of that name; its id."""
        values = {
            "events": list(play.events),
            "expected": list(play.expected),
            "made_by": play.made_by,
            "made_at": play.made_at,
        }
        query = insert(script_plays).values(script=play.script, name=play.name, **values)
        query = query.on_conflict_do_update(index_elements=["script", "name"], set_=values)
        async with self._database.begin() as connection:
            return int((await connection.execute(query.returning(script_plays.c.id))).scalar_one())

    async def drop_play(self, play_id: int) -> bool:
        """False when there is no such play."""
        async with self._database.begin() as connection:
            result = await connection.execute(delete(script_plays).where(script_plays.c.id == play_id))
            return result.rowcount > 0


async def _outcomes(connection: AsyncConnection, which: list[ColumnElement[bool]]) -> dict[str, int]:
    outcome = func.coalesce(calls.c.disposition, "")
    rows = await connection.execute(select(outcome, func.count()).where(*which).group_by(outcome))
    return {row[0]: row[1] for row in rows}


async def _totals(connection: AsyncConnection, which: list[ColumnElement[bool]]) -> tuple[int, int]:
    query = select(
        func.count().filter(calls.c.verified),
        func.count().filter(calls.c.handoff),
    ).where(*which)
    row = (await connection.execute(query)).one()
    return row[0], row[1]


async def _hits(
    connection: AsyncConnection, which: list[ColumnElement[bool]]
) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    """Calls per node and per branch; a call that comes to a node twice counts once."""
    source = select(calls.c.id).where(*which)
    start, to, branch = (facts.c.data[key].astext for key in ("from_node", "to_node", "branch"))
    decided = (facts.c.kind == FactKind.DECIDED, facts.c.call_id.in_(source))
    per_call = func.count(facts.c.call_id.distinct())
    nodes = await connection.execute(select(to, per_call).where(*decided).group_by(to))
    branches = await connection.execute(select(start, branch, per_call).where(*decided).group_by(start, branch))
    return {row[0]: row[1] for row in nodes}, {(a, b): count for a, b, count in branches}
