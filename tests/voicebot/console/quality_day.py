"""What reviewers and readers of reports find in the morning: calls checked and counted, promises due, hold-outs."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import psycopg

from tests.voicebot.console.day import PASSWORD
from voicebot.domain.clock import FixedClock
from voicebot.domain.quality import Sampling
from voicebot.domain.records import AgentRecord, Role
from voicebot.quality.afterwards import Afterwards
from voicebot.quality.sampling import draw
from voicebot.quality.scorecard import shipped
from voicebot.reports.rollup import RollUp
from voicebot.store import Store
from voicebot.store.urls import conninfo

MOVES = (("S1", "S1"), ("S1", "S2"), ("S1", "cured"), ("S2", "S2"), ("S2", "S3"), ("S2", "cured"), ("S3", "M2"))


async def seed(store: Store, recordings: Path, now: dt.datetime) -> None:
    """Check and count every call, draw the riskiest for review, and give last month and a strategy their outcomes."""
    clock = FixedClock(now)
    await Afterwards(store, clock).catch_up()
    await RollUp(store, recordings, clock).catch_up()
    await draw(store, shipped()["standard"], Sampling.RISK, 5, now - dt.timedelta(days=1), now)
    await _agent_reviewed(store, now)
    month = now.date().replace(day=1)
    before = (month - dt.timedelta(days=1)).replace(day=1)
    made = now - dt.timedelta(days=20)
    async with await psycopg.AsyncConnection.connect(conninfo(store._database.url)) as connection:
        for index, (stage, later) in enumerate(MOVES * 3):
            for day, where in ((before, stage), (month, later)):
                row = (day, f"XH{index}", where, 100_000 + index)
                await connection.execute("INSERT INTO case_months VALUES (%s, %s, %s, %s)", row)
        cases = await (await connection.execute("SELECT id FROM cases ORDER BY id")).fetchall()
        for index, (case,) in enumerate(cases):
            kept = index % 3 > 0
            await connection.execute(
                "INSERT INTO promises (case_id, date, amount_fen, paid_fen, confirmed, state, made_at)"
                " VALUES (%s, %s, 100000, %s, true, %s, %s)",
                (case, made.date() + dt.timedelta(days=3 + index), 100_000 if kept else 8_000 * index,
                 "kept" if kept else "broken", made),
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO cohorts (campaign_id, case_id, strategy, held_out, overdue_days, amount_fen, entered_at)"
                " VALUES ('M1-11', %s, 'gentle', %s, 5, 100000, %s)",
                (case, index % 4 == 0, made),
            )
            if kept:
                await connection.execute(
                    "INSERT INTO payments (case_id, amount_fen, paid_on, source, external_id, received_at)"
                    " VALUES (%s, 60000, %s, 'file', %s, %s)",
                    (case, made.date() + dt.timedelta(days=2), f"P{index}", now),
                )


async def _agent_reviewed(store: Store, now: dt.datetime) -> None:
    """An agent whose call a reviewer has scored."""
    await store.agents.save(AgentRecord("a7", "周坐席", "sip:1007@127.0.0.1"))
    await store.users.create("zhou7", Role.AGENT, now, password=PASSWORD, display_name="周坐席")
    await store.users.change("zhou7", agent_id="a7")
    card = shipped()["agent"]
    (drawn,) = await store.reviews.draw([("call-0001", "a7")], (card.id, card.sha256), Sampling.AGENT, now)
    answers = {question.id: "no" if at == 1 else "yes" for at, question in enumerate(card.questions)}
    await store.reviews.finish(drawn, "qa", answers, "开场没有报工号", card.score(answers)[0], False, now)
