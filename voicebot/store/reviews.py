"""Reviews: which calls are looked at by whom, what they answered, and what agents say to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ScalarSelect, Select, and_, exists, func, or_, select, update

from voicebot.domain.quality import Appeal, Comment, Review, Round, Sampling
from voicebot.store.database import Database
from voicebot.store.rows import AnyRow
from voicebot.store.schema import calls, facts
from voicebot.store.schema_quality import appeals, call_checks, comments, reviews


class Reviews:
    def __init__(self, database: Database) -> None:
        self._database = database

    # -- drawing

    async def candidates(
        self, since: dt.datetime, sampling: Sampling, of: str = "", limit: int = 20
    ) -> Sequence[tuple[str, str]]:
        """Answered calls that nobody reviewed yet, as (call id, agent who took part or ""); `of`: whose, which script.

        By risk the riskiest come first; else the order is by chance.
        """
        agent = _agent_of_call()
        query = (
            select(calls.c.id, func.coalesce(agent, "").label("agent"))
            .join(call_checks, call_checks.c.call_id == calls.c.id)
            .where(calls.c.started_at >= since, calls.c.answered_at.is_not(None))
            .where(~exists().where(reviews.c.call_id == calls.c.id))
        )
        if sampling is Sampling.AGENT:
            query = query.where(agent == of) if of else query.where(agent.is_not(None))
        if sampling is Sampling.SCRIPT and of:
            query = query.where(calls.c.script == of)
        order = call_checks.c.risk.desc() if sampling is Sampling.RISK else func.random()
        async with self._database.begin() as connection:
            rows = await connection.execute(query.order_by(order, calls.c.id).limit(limit))
            return [(row.id, row.agent) for row in rows]

    async def agents_of(self, call_ids: Sequence[str]) -> Mapping[str, str]:
        """Who took part first in these calls; "" where the bot was alone."""
        query = select(calls.c.id, func.coalesce(_agent_of_call(), "").label("agent")).where(calls.c.id.in_(call_ids))
        async with self._database.begin() as connection:
            return {row.id: row.agent for row in await connection.execute(query)}

    async def draw(
        self, calls_: Sequence[tuple[str, str]], scorecard: tuple[str, str], why: Sampling, now: dt.datetime,
        round_: Round = Round.FIRST, of: Mapping[str, int] | None = None,
        automatic: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Sequence[int]:  # fmt: skip
        """Put calls before the reviewers; `scorecard` is its name and SHA-256. The ids of the reviews."""
        rows = [
            {
                "call_id": call_id,
                "agent": agent,
                "scorecard": scorecard[0],
                "scorecard_sha256": scorecard[1],
                "why": why,
                "round": round_,
                "of": (of or {}).get(call_id),
                "automatic": dict((automatic or {}).get(call_id, {})),
                "drawn_at": now,
            }
            for call_id, agent in calls_
        ]
        if not rows:
            return []
        async with self._database.begin() as connection:
            return list((await connection.execute(reviews.insert().values(rows).returning(reviews.c.id))).scalars())

    # -- reviewing

    async def waiting(self, reviewer: str, limit: int = 100) -> Sequence[Review]:
        """What this reviewer may take: nobody else's, not the second look at a call they looked at first, and of the
        places of a calibration one."""
        first, place = reviews.alias(), reviews.alias()
        own = exists().where(
            first.c.call_id == reviews.c.call_id, first.c.id != reviews.c.id, first.c.reviewer == reviewer
        )
        taken = exists().where(
            place.c.call_id == reviews.c.call_id, place.c.scorecard == reviews.c.scorecard,
            place.c.round == Round.CALIBRATION,
            or_(place.c.reviewer == reviewer, and_(place.c.state == "waiting", place.c.id < reviews.c.id)),
        )  # fmt: skip
        query = (
            select(reviews)
            .where(reviews.c.state == "waiting", or_(reviews.c.reviewer.is_(None), reviews.c.reviewer == reviewer))
            .where(or_(reviews.c.round != Round.SECOND, ~own), or_(reviews.c.round != Round.CALIBRATION, ~taken))
            .order_by(reviews.c.drawn_at, reviews.c.id)
            .limit(limit)
        )
        return await self._many(query)

    async def find(self, review_id: int) -> Review | None:
        found = await self._many(select(reviews).where(reviews.c.id == review_id))
        return found[0] if found else None

    async def of_call(self, call_id: str) -> Sequence[Review]:
        return await self._many(select(reviews).where(reviews.c.call_id == call_id).order_by(reviews.c.id))

    async def finish(
        self, review_id: int, reviewer: str, answers: Mapping[str, str], note: str, score: float, fatal: bool,
        now: dt.datetime,
    ) -> bool:  # fmt: skip
        """Write a review down; False when it is somebody else's, or done already."""
        mine = or_(reviews.c.reviewer.is_(None), reviews.c.reviewer == reviewer)
        query = (
            update(reviews)
            .where(reviews.c.id == review_id, reviews.c.state == "waiting", mine)
            .values(
                reviewer=reviewer,
                answers=dict(answers),
                note=note,
                score=score,
                fatal=fatal,
                state="done",
                done_at=now,
            )
        )
        async with self._database.begin() as connection:
            return (await connection.execute(query)).rowcount > 0

    async def done(self, since: dt.datetime, agent: str | None = None, limit: int = 500) -> Sequence[Review]:
        """Reviews finished from `since` on, the latest first."""
        query = select(reviews).where(reviews.c.state == "done", reviews.c.done_at >= since)
        if agent is not None:
            query = query.where(reviews.c.agent == agent)
        return await self._many(query.order_by(reviews.c.done_at.desc(), reviews.c.id.desc()).limit(limit))

    async def pairs(self, since: dt.datetime, round_: Round = Round.SECOND) -> Sequence[tuple[Review, Review]]:
        """Two reviews of the same call with the same scorecard: the first look and the blind second one; or all
        pairs of a calibration."""
        query = select(reviews).where(reviews.c.state == "done", reviews.c.done_at >= since)
        found = await self._many(query.order_by(reviews.c.id))
        if round_ is Round.SECOND:
            by_id = {review.id: review for review in found}
            return [(by_id[r.of], r) for r in found if r.round is round_ and r.of is not None and r.of in by_id]
        same: dict[tuple[str, str], list[Review]] = {}
        for review in found:
            if review.round is round_:
                same.setdefault((review.call_id, review.scorecard_sha256), []).append(review)
        return [(a, b) for group in same.values() for at, a in enumerate(group) for b in group[at + 1 :]]

    async def of_round(self, since: dt.datetime, round_: Round) -> Sequence[Review]:
        """All that were drawn for a round from `since` on, done or waiting, the latest first."""
        query = select(reviews).where(reviews.c.round == round_, reviews.c.drawn_at >= since)
        return await self._many(query.order_by(reviews.c.drawn_at.desc(), reviews.c.id))

    async def of_agent(self, agent: str, limit: int = 100) -> Sequence[Review]:
        """What reviewers said of an agent's calls, the latest first; second looks and calibrations are not theirs."""
        query = select(reviews).where(
            reviews.c.agent == agent, reviews.c.state == "done", reviews.c.round == Round.FIRST
        )
        return await self._many(query.order_by(reviews.c.done_at.desc(), reviews.c.id.desc()).limit(limit))

    async def seconded(self) -> frozenset[int]:
        """Ids of reviews that somebody was asked to look at again."""
        query = select(reviews.c.of).where(reviews.c.of.is_not(None))
        async with self._database.begin() as connection:
            return frozenset((await connection.execute(query)).scalars())

    # -- appeals

    async def appeal(self, review_id: int, by: str, words: str, now: dt.datetime) -> int:
        """An agent objects; its id. ValueError when the review is not done or an appeal is open already."""
        async with self._database.begin() as connection:
            row = (await connection.execute(select(reviews).where(reviews.c.id == review_id).with_for_update())).first()
            still = exists().where(appeals.c.review_id == review_id, appeals.c.state == "open")
            if row is None or row.state != "done" or (await connection.execute(select(still))).scalar_one():
                raise ValueError("only a finished review without an open appeal can be appealed")
            values = {"review_id": review_id, "by": by, "text": words, "at": now, "score_before": row.score}
            return int((await connection.execute(appeals.insert().values(values).returning(appeals.c.id))).scalar_one())

    async def decide(self, appeal_id: int, by: str, answer: str, score: float | None, now: dt.datetime) -> bool:
        """The end of an appeal: `score` None leaves the review as it is. False when it was decided already."""
        values: dict[str, Any] = {"decided_by": by, "decided_at": now, "answer": answer, "score_after": score}
        values["state"] = "upheld" if score is None else "changed"
        query = update(appeals).where(appeals.c.id == appeal_id, appeals.c.state == "open").values(**values)
        async with self._database.begin() as connection:
            row = (await connection.execute(query.returning(appeals.c.review_id))).first()
            if row is not None and score is not None:
                await connection.execute(update(reviews).where(reviews.c.id == row.review_id).values(score=score))
        return row is not None

    async def appeals(self, open_only: bool = True, review_id: int | None = None) -> Sequence[Appeal]:
        query = select(appeals).order_by(appeals.c.at.desc())
        if open_only:
            query = query.where(appeals.c.state == "open")
        if review_id is not None:
            query = query.where(appeals.c.review_id == review_id)
        async with self._database.begin() as connection:
            return [Appeal(**row._mapping) for row in await connection.execute(query)]

    # -- comments

    async def comment(self, call_id: str, ms: int, author: str, words: str, now: dt.datetime) -> int:
        """Note something at a moment of a call; its id."""
        values = {"call_id": call_id, "ms": ms, "author": author, "text": words, "at": now}
        async with self._database.begin() as connection:
            result = await connection.execute(comments.insert().values(values).returning(comments.c.id))
            return int(result.scalar_one())

    async def comments(self, call_id: str) -> Sequence[Comment]:
        query = select(comments).where(comments.c.call_id == call_id).order_by(comments.c.ms, comments.c.id)
        async with self._database.begin() as connection:
            return [Comment(**row._mapping) for row in await connection.execute(query)]

    async def _many(self, query: Select[Any]) -> Sequence[Review]:
        async with self._database.begin() as connection:
            return [_to_review(row) for row in await connection.execute(query)]


def _agent_of_call() -> ScalarSelect[str]:
    return (
        select(facts.c.data["agent"].astext)
        .where(facts.c.call_id == calls.c.id, facts.c.kind == "joined")
        .order_by(facts.c.seq)
        .limit(1)
        .scalar_subquery()
    )


def _to_review(row: AnyRow) -> Review:
    return Review(**{**row._mapping, "why": Sampling(row.why), "round": Round(row.round)})
