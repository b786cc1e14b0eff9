"""Leasing: waiting attempts become ours alone, judged and counted, in one transaction."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import Attempt, AttemptState, Caps, Purpose
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.pace import Pacing
from voicebot.domain.permission import DialRequest, DialVerdict, Judge
from voicebot.store import ledger
from voicebot.store.campaign_room import CampaignRoom, read_room
from voicebot.store.cohorts import held_out
from voicebot.store.decisions import record
from voicebot.store.history import History, lock
from voicebot.store.rows import ATTEMPT_COLUMNS, ATTEMPT_TABLES, to_attempt
from voicebot.store.schema import attempts, cases

OVERSAMPLE = 4
"""Candidates looked at per attempt wanted.

Some are forbidden now, some belong to a debtor another worker decides on.
"""

_PATIENCE = dt.timedelta(minutes=15)
"""When to ask again after a judge failed or forbade without a useful time."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict of our own, where the rulebook's could not be had or the ledger was full."""

    allowed: bool
    rule: str | None
    reason: str
    not_before: dt.datetime | None
    pack_sha256: str = ""


async def lease(
    connection: AsyncConnection,
    worker: str,
    limit: int,
    now: dt.datetime,
    *,
    judge: Judge,
    caps: Caps,
    until: dt.datetime,
    pacing: Pacing | None = None,
) -> list[Attempt]:
    """Take up to `limit` attempts for `worker`; none while an operator has halted everything.

    Everything forbidden is put off to the moment its rule names. `pacing` holds campaigns to their mode and to what
    became of their latest calls.
    """
    room = await read_room(connection, now, pacing)
    if room.halted:
        return []
    candidates = await lock(connection, await _candidates(connection, room, limit * OVERSAMPLE, now))
    if not candidates:
        return []
    history = await History.read(connection, candidates, now)
    leased: list[Attempt] = []
    for attempt in candidates:
        if len(leased) == limit:
            break
        if not room.has(attempt.campaign_id):
            continue
        attempt = replace(attempt, shows=room.shows(attempt.campaign_id))
        request = history.request(attempt)
        if (await decide(connection, attempt, request, now, judge, caps)).allowed:
            leased.append(await take(connection, attempt, worker, now, until))
            history.leased(attempt, now)
            room.take(attempt.campaign_id, attempt.shows)
    return leased


async def _candidates(connection: AsyncConnection, room: CampaignRoom, count: int, now: dt.datetime) -> list[Attempt]:
    table = attempts.c
    rows = await connection.execute(
        select(*ATTEMPT_COLUMNS)
        .select_from(ATTEMPT_TABLES)
        .where(table.state == AttemptState.WAITING, table.not_before <= now, cases.c.status == "open")
        .where(or_(table.campaign_id.is_(None), table.campaign_id.in_(room.open)))
        # What was agreed on with a debtor has its own time.
        .where(
            or_(table.purpose != Purpose.REMINDER, table.campaign_id.is_(None), table.campaign_id.not_in(room.resting))
        )
        # Whoever pulled a case reminds the debtor in person; what a debtor was promised is done all the same.
        .where(table.purpose != Purpose.AGENT, or_(cases.c.agent_since.is_(None), table.purpose != Purpose.REMINDER))
        # Who is held out to compare with is reminded by nobody.
        .where(or_(table.purpose != Purpose.REMINDER, ~held_out(cases.c.id)))
        .order_by(table.priority.desc(), table.not_before, table.id)
        .limit(count)
        .with_for_update(of=attempts, skip_locked=True)
    )
    return [to_attempt(row) for row in rows]


async def decide(
    connection: AsyncConnection,
    attempt: Attempt,
    request: DialRequest,
    now: dt.datetime,
    judge: Judge,
    caps: Caps,
) -> DialVerdict:
    """Ask the rulebook, then the ledger; write the answer down and put the attempt off when it is no."""
    judged = verdict = ask(judge, request, now)
    if judged.allowed:
        full = await ledger.reserve(connection, attempt, now, caps)
        if full is not None:
            verdict = Ruling(False, full.rule, f"ledger full: {full.scope}", _tomorrow(now), judged.pack_sha256)
    await record(connection, getattr(judged, "asked", None) or request, verdict, now)
    if not verdict.allowed:
        await _put_off(connection, attempt.id, verdict, now)
    return verdict


def ask(judge: Judge, request: DialRequest, now: dt.datetime) -> DialVerdict:
    """The judge's verdict; a judge that fails forbids."""
    try:
        return judge(request, now)
    except Exception as error:
        return Ruling(False, "CN-F6", f"the rulebook failed: {error!r}", now + _PATIENCE)


async def _put_off(connection: AsyncConnection, attempt_id: int, verdict: DialVerdict, now: dt.datetime) -> None:
    if verdict.not_before is None:
        change = {"state": AttemptState.DENIED, "settled_at": now}
    else:
        later = verdict.not_before if verdict.not_before > now else now + _PATIENCE
        change = {"not_before": later}
    await connection.execute(
        update(attempts).where(attempts.c.id == attempt_id).values(rule=verdict.rule, why=verdict.reason, **change)
    )


async def take(
    connection: AsyncConnection, attempt: Attempt, worker: str, now: dt.datetime, until: dt.datetime
) -> Attempt:
    change = {
        "state": AttemptState.LEASED,
        "leased_by": worker,
        "leased_at": now,
        "lease_until": until,
        "shows": attempt.shows,
        "rule": None,
        "why": "",
    }
    await connection.execute(update(attempts).where(attempts.c.id == attempt.id).values(**change))
    return replace(
        attempt,
        state=AttemptState.LEASED,
        leased_by=worker,
        leased_at=now,
        lease_until=until,
        rule=None,
        why="",
    )


def _tomorrow(now: dt.datetime) -> dt.datetime:
    day = now.astimezone(SHANGHAI).date() + dt.timedelta(days=1)
    return dt.datetime.combine(day, dt.time(), SHANGHAI)
