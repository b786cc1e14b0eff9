"""Flows: what goes on in campaigns now and what became of their latest calls, read in a few queries."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.outcome import Disposition
from voicebot.domain.pace import CampaignMode, Flow, Settled, Share
from voicebot.store.rows import AnyRow

LOOK_BACK = dt.timedelta(hours=4)
LATEST = 200
"""So many of the latest calls say what the next ones will be like."""
_SETTLED = 60
_RING_S, _TALK_S = 12.0, 180.0
"""Seconds until an answer and in a conversation with a person, before any was seen."""

_NOW = text("""
    SELECT a.campaign_id,
        count(*) FILTER (WHERE c.answered_at IS NULL) AS ringing,
        count(*) FILTER (WHERE c.answered_at IS NOT NULL AND w.call_id IS NULL AND p.id IS NULL) AS talking,
        count(*) FILTER (WHERE w.call_id IS NOT NULL AND p.id IS NULL) AS waiting,
        count(*) FILTER (WHERE p.id IS NOT NULL) AS with_people
    FROM attempts a
        LEFT JOIN calls c ON c.id = a.call_id
        LEFT JOIN waiting w ON w.call_id = a.call_id
        LEFT JOIN agents p ON p.call_id = a.call_id AND p.presence = 'busy'
    WHERE a.state IN ('leased', 'placed') AND a.campaign_id = ANY(:ids)
    GROUP BY a.campaign_id
""")
_LATELY = text("""
    SELECT wanted.id AS campaign_id,
        count(*) AS made,
        count(c.answered_at) AS answered,
        count(*) FILTER (WHERE queued.call_id IS NOT NULL) AS handed,
        count(*) FILTER (WHERE queued.call_id IS NOT NULL AND NOT c.handoff) AS abandoned,
        avg(extract(epoch FROM c.answered_at - c.started_at)) AS ring_s,
        avg(extract(epoch FROM c.ended_at - queued.at)) FILTER (WHERE c.handoff) AS talk_s
    FROM unnest(CAST(:ids AS text[])) AS wanted (id)
        CROSS JOIN LATERAL (
            SELECT call_id FROM attempts
            WHERE campaign_id = wanted.id AND state = 'settled' AND settled_at > :since AND call_id IS NOT NULL
            ORDER BY settled_at DESC LIMIT :latest
        ) AS a
        JOIN calls c ON c.id = a.call_id
        LEFT JOIN LATERAL (
            SELECT f.call_id, f.at FROM facts f
            WHERE f.call_id = a.call_id AND f.kind = 'queued' ORDER BY f.seq LIMIT 1
        ) AS queued ON true
    GROUP BY wanted.id
""")
_ENDED = text("""
    SELECT wanted.id AS campaign_id, a.leased_at, a.settled_at, a.disposition
    FROM unnest(CAST(:ids AS text[])) AS wanted (id)
        CROSS JOIN LATERAL (
            SELECT leased_at, settled_at, disposition FROM attempts
            WHERE campaign_id = wanted.id AND state = 'settled' AND settled_at > :since AND leased_at IS NOT NULL
                AND placed_at IS NOT NULL AND rule IS NULL
            ORDER BY settled_at DESC LIMIT :latest
        ) AS a
    ORDER BY a.settled_at
""")


async def read_flows(connection: AsyncConnection, running: Sequence[AnyRow], now: dt.datetime) -> dict[str, Flow]:
    """The flow of each campaign of `running` (its id, mode and most_abandoned)."""
    ids = [row.id for row in running]
    free = (await connection.execute(text("SELECT count(*) FROM agents WHERE presence = 'ready'"))).scalar_one()
    at_once = {row.campaign_id: row for row in await connection.execute(_NOW, {"ids": ids})}
    values = {"ids": ids, "since": now - LOOK_BACK, "latest": LATEST}
    lately = {row.campaign_id: row for row in await connection.execute(_LATELY, values)}
    return {row.id: _flow(row, at_once.get(row.id), lately.get(row.id), int(free)) for row in running}


async def read_ended(
    connection: AsyncConnection, ids: Sequence[str], now: dt.datetime
) -> dict[str, tuple[Settled, ...]]:
    """What became of each campaign's latest attempts, oldest first."""
    ended: dict[str, list[Settled]] = {}
    values = {"ids": list(ids), "since": now - LOOK_BACK, "latest": _SETTLED}
    for row in await connection.execute(_ENDED, values):
        settled = Settled(row.leased_at, row.settled_at, row.disposition == Disposition.FAILED)
        ended.setdefault(row.campaign_id, []).append(settled)
    return {campaign: tuple(ended.get(campaign, ())) for campaign in ids}


def _flow(campaign: AnyRow, at_once: AnyRow | None, lately: AnyRow | None, free: int) -> Flow:
    flow = Flow(
        campaign.id,
        CampaignMode(campaign.mode),
        ringing=at_once.ringing if at_once else 0,
        talking=at_once.talking if at_once else 0,
        waiting=at_once.waiting if at_once else 0,
        with_people=at_once.with_people if at_once else 0,
        free=free,
        soon_free=1 - math.exp(-_RING_S / _TALK_S),
        ceiling=campaign.most_abandoned,
    )
    if lately is None:
        return flow
    return Flow(
        flow.campaign_id,
        flow.mode,
        flow.ringing,
        flow.talking,
        flow.waiting,
        flow.with_people,
        flow.free,
        1 - math.exp(-max(1.0, float(lately.ring_s or _RING_S)) / max(1.0, float(lately.talk_s or _TALK_S))),
        Share(lately.answered, lately.made),
        Share(lately.handed, lately.answered),
        Share(lately.abandoned, lately.handed),
        flow.ceiling,
    )
