"""ReportMoney: what came in - promises by the week they were due, stages month by month, treated against held out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Date, Integer, and_, case, cast, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert

from voicebot.domain.clock import SHANGHAI
from voicebot.domain.records import PromiseState
from voicebot.domain.report import Arm, Cohort, Roll
from voicebot.domain.stage import LATE_FROM, Stage
from voicebot.store.database import Database
from voicebot.store.schema import cases, promises
from voicebot.store.schema_follow_up import payments
from voicebot.store.schema_reports import case_months
from voicebot.store.schema_strategy import cohorts

CURED, GONE = "cured", "gone"
"""What a case is in that left: paid, or taken back."""
_MATURED = (PromiseState.KEPT, PromiseState.PARTLY_KEPT, PromiseState.BROKEN)


class ReportMoney:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def cohorts(self, since: dt.date, until: dt.date) -> Sequence[Cohort]:
        """Promises that came due from `since` to `until` and were settled, by the Monday of their week."""
        later = promises.alias()
        again = exists().where(later.c.case_id == promises.c.case_id, later.c.made_at > promises.c.made_at)
        kept = promises.c.paid_fen >= promises.c.amount_fen
        week = cast(func.date_trunc("week", promises.c.date), Date).label("week")
        query = (
            select(
                week,
                func.count(),
                func.count().filter(kept),
                func.count().filter(promises.c.paid_fen * 5 >= promises.c.amount_fen * 4),
                func.count().filter(~kept),
                func.count().filter(and_(~kept, again)),
                func.sum(promises.c.amount_fen),
                func.sum(func.least(promises.c.paid_fen, promises.c.amount_fen)),
            )
            .where(promises.c.state.in_(_MATURED), promises.c.date.between(since, until))
            .group_by(week)
            .order_by(week)
        )
        async with self._database.begin() as connection:
            rows = (await connection.execute(query)).all()
        return [Cohort(row[0], *(int(value) for value in row[1:])) for row in rows]

    async def paid(self, since: dt.date, until: dt.date) -> Mapping[str, int]:
        """`payers`, `payers_unpromised`, `paid_fen`, and `assigned_fen`: what is due now and what was paid since."""
        in_time = payments.c.paid_on.between(since, until)
        promised = exists().where(
            promises.c.case_id == payments.c.case_id,
            cast(func.timezone("Asia/Shanghai", promises.c.made_at), Date) <= payments.c.paid_on,
        )
        each = (
            select(
                payments.c.case_id,
                func.sum(payments.c.amount_fen).label("fen"),
                func.bool_or(promised).label("promised"),
            )
            .where(in_time)
            .group_by(payments.c.case_id)
            .subquery()
        )
        paid = select(
            func.count(), func.count().filter(~each.c.promised), func.coalesce(func.sum(each.c.fen), 0)
        ).select_from(each)
        since_then = select(func.coalesce(func.sum(payments.c.amount_fen), 0)).where(payments.c.paid_on >= since)
        due = select(func.coalesce(func.sum(cases.c.amount_fen), 0))
        async with self._database.begin() as connection:
            row = (await connection.execute(paid)).one()
            assigned = (await connection.execute(due)).scalar_one()
            assigned += (await connection.execute(since_then)).scalar_one()
        return {
            "payers": int(row[0]),
            "payers_unpromised": int(row[1]),
            "paid_fen": int(row[2]),
            "assigned_fen": int(assigned),
        }

    async def keep_month(self, now: dt.datetime) -> int:
        """Write down in which stage every case is this month, once; how many were written.

        A case that was there a month ago and is not open any more is written as cured (nothing left to pay) or gone.
        """
        today = now.astimezone(SHANGHAI).date()
        month = today.replace(day=1)
        before = (month - dt.timedelta(days=1)).replace(day=1)
        days = cases.c.overdue_days + (literal(today, Date) - cases.c.as_of)
        stage = case(*((days >= least, literal(name.value)) for least, name in LATE_FROM), else_=Stage.M0.value)
        still_open = select(literal(month, Date), cases.c.id, stage, cases.c.amount_fen).where(
            cases.c.status == "open", cases.c.amount_fen > 0
        )
        there = exists().where(
            case_months.c.case_id == cases.c.id,
            case_months.c.month == before,
            case_months.c.stage.not_in((CURED, GONE)),
        )
        left = select(
            literal(month, Date),
            cases.c.id,
            case((cases.c.amount_fen <= 0, literal(CURED)), else_=GONE),
            cases.c.amount_fen,
        ).where(there, or_(cases.c.status != "open", cases.c.amount_fen <= 0))
        known = select(func.count()).select_from(case_months).where(case_months.c.month == month)
        columns = ["month", "case_id", "stage", "amount_fen"]
        async with self._database.begin() as connection:
            if (await connection.execute(known)).scalar_one():
                return 0
            written = 0
            for source in (still_open, left):
                query: Any = insert(case_months).from_select(columns, source).on_conflict_do_nothing()
                written += (await connection.execute(query)).rowcount
        return written

    async def rolls(self, since: dt.date, until: dt.date) -> Sequence[Roll]:
        """What became in a month of the cases of each stage, for months that begin in these days.

        Those that are in no list a month later do not count, so that every row of the matrix sums to 1.
        """
        a, b = case_months.alias("a"), case_months.alias("b")
        next_month = cast(a.c.month + func.make_interval(0, 1), Date)
        query = (
            select(a.c.month, a.c.stage, b.c.stage, func.count(), func.sum(a.c.amount_fen))
            .join_from(a, b, and_(b.c.case_id == a.c.case_id, b.c.month == next_month))
            .where(a.c.month.between(since.replace(day=1), until), a.c.stage.not_in((CURED, GONE)))
            .group_by(a.c.month, a.c.stage, b.c.stage)
            .order_by(a.c.month, a.c.stage, b.c.stage)
        )
        async with self._database.begin() as connection:
            return [Roll(r[0], r[1], r[2], int(r[3]), int(r[4])) for r in await connection.execute(query)]

    async def arms(self, since: dt.date, until: dt.date, days: int) -> Sequence[Arm]:
        """Per strategy the cases that entered in these days and have been there for `days`, treated and held out."""
        entered = cast(func.timezone("Asia/Shanghai", cohorts.c.entered_at), Date)
        paid = (
            select(func.coalesce(func.sum(payments.c.amount_fen), 0))
            .where(payments.c.case_id == cohorts.c.case_id)
            .where(payments.c.paid_on.between(entered, entered + cast(literal(days), Integer)))
            .scalar_subquery()
        )
        each = (
            select(cohorts.c.strategy, cohorts.c.held_out, cohorts.c.amount_fen, paid.label("paid"))
            .where(entered.between(since, until))
            .subquery()
        )
        query = (
            select(
                each.c.strategy,
                each.c.held_out,
                func.count(),
                func.count().filter(each.c.paid > 0),
                func.sum(each.c.paid),
                func.sum(each.c.amount_fen),
            )
            .group_by(each.c.strategy, each.c.held_out)
            .order_by(each.c.strategy, each.c.held_out)
        )
        async with self._database.begin() as connection:
            return [Arm(r[0], r[1], *(int(v) for v in r[2:])) for r in await connection.execute(query)]
