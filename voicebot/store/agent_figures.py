"""Figures of agents: calls and talk time from the journals, promises and writing time from the wrap-ups."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import text

from voicebot.domain.clock import SHANGHAI
from voicebot.domain.desk import AgentFigures
from voicebot.store.database import Database

_TALKS = text("""
    SELECT joined.data ->> 'agent' AS agent, count(*) AS calls,
        coalesce(sum(greatest(0, coalesce(until.ms, joined.ms) - joined.ms)), 0) AS talk_ms
    FROM facts AS joined LEFT JOIN LATERAL (
        SELECT min(ms) AS ms FROM facts AS later
        WHERE later.call_id = joined.call_id AND later.seq > joined.seq
          AND (later.kind IN ('ended', 'referred')
               OR later.kind = 'agent_left' AND later.data ->> 'agent' = joined.data ->> 'agent')
    ) AS until ON true
    WHERE joined.kind = 'joined' AND joined.at >= :first AND joined.at < :last
    GROUP BY 1
""")

_WRITTEN = text("""
    SELECT agent_id AS agent,
        count(*) FILTER (WHERE plan <> '{}'::jsonb) AS promises,
        coalesce(sum((promise ->> 'amount_fen')::bigint), 0) AS promised_fen,
        coalesce(avg(extract(epoch FROM done_at - started_at)), 0) AS wrap_s
    FROM wrapups WHERE done_at >= :first AND done_at < :last
    GROUP BY 1
""")

_KEPT = text("""
    SELECT wrapups.agent_id AS agent, count(*) AS judged, count(*) FILTER (WHERE promises.state = 'kept') AS kept
    FROM promises JOIN wrapups ON wrapups.call_id = promises.call_id AND wrapups.plan <> '{}'::jsonb
    WHERE promises.state IN ('kept', 'broken') AND promises.date >= :month_ago
    GROUP BY 1
""")


class Figures:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_day(self, day: dt.date) -> Mapping[str, AgentFigures]:
        """All agents who did anything on a civil day in Shanghai; promises kept are those of the last 30 days."""
        first = dt.datetime.combine(day, dt.time(), SHANGHAI)
        values = {"first": first, "last": first + dt.timedelta(days=1), "month_ago": day - dt.timedelta(days=30)}
        async with self._database.begin() as connection:
            talks = {row.agent: row for row in await connection.execute(_TALKS, values)}
            written = {row.agent: row for row in await connection.execute(_WRITTEN, values)}
            kept = {row.agent: row for row in await connection.execute(_KEPT, values)}
        found = {}
        for agent in sorted({*talks, *written, *kept} - {None}):
            talk, wrote, held = talks.get(agent), written.get(agent), kept.get(agent)
            found[agent] = AgentFigures(
                calls=talk.calls if talk else 0,
                talk_s=int(talk.talk_ms) // 1000 if talk else 0,
                promises=wrote.promises if wrote else 0,
                promised_fen=int(wrote.promised_fen) if wrote else 0,
                kept=held.kept if held else 0,
                judged=held.judged if held else 0,
                wrap_s=round(wrote.wrap_s) if wrote else 0,
            )
        return found
