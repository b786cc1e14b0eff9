"""Book: all that one report tells, put together once, for the page, the spreadsheet, the PDF and the command line."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voicebot.domain.report import Arm, Cohort, NodeRow, Period, ReportFilter, Roll, SumsRow
from voicebot.reports.figures import FIGURES, evaluate
from voicebot.reports.ratio import Ratio, difference
from voicebot.store.store import Store

UPLIFT_DAYS = 30
"""How long after a case came under a strategy its payments are looked at."""


@dataclass(frozen=True, slots=True)
class Uplift:
    """Cases that paid, treated against held out, with the 95 % interval of the difference; None without hold-outs."""

    strategy: str
    treated: Ratio
    held_out: Ratio
    treated_money: Ratio
    held_out_money: Ratio

    @property
    def difference(self) -> tuple[float, float, float] | None:
        return difference(self.treated, self.held_out)


@dataclass(frozen=True, slots=True)
class Book:
    """`figures`: of the whole; `periods` and `groups`: sums by time and by `dimension`; `nodes` by script."""

    wanted: ReportFilter
    period: Period
    dimension: str
    sums: Mapping[str, int]
    figures: Mapping[str, Ratio]
    periods: Sequence[SumsRow]
    groups: Sequence[SumsRow]
    scripts: Sequence[str]
    nodes: Sequence[NodeRow]
    cohorts: Sequence[Cohort]
    rolls: Sequence[Roll]
    uplifts: Sequence[Uplift]
    agents: Sequence[SumsRow]


async def read_book(
    store: Store, wanted: ReportFilter, period: Period = Period.DAY, dimension: str = "stage", script: str = ""
) -> Book:
    """Read everything a report of these days tells; `script` is the one whose funnel is shown (the busiest first)."""
    figures, money = store.report_figures, store.report_money
    (total, debtors, paid, cohorts), (periods, groups, by_script, agents), (rolls, arms) = await asyncio.gather(
        asyncio.gather(
            figures.total(wanted),
            figures.debtors(wanted),
            money.paid(wanted.since, wanted.until),
            money.cohorts(wanted.since, wanted.until),
        ),
        asyncio.gather(
            figures.by_period(wanted, period),
            figures.by(wanted, dimension),
            figures.by(wanted, "script"),
            figures.by(wanted, "agent"),
        ),
        asyncio.gather(
            money.rolls(wanted.since, wanted.until), money.arms(wanted.since, wanted.until, UPLIFT_DAYS)
        ),
    )
    busiest = sorted(by_script, key=lambda row: -row.sums["contacts"])
    scripts = [row.key for row in busiest if row.key]
    script = script or (scripts[0] if scripts else "")
    sums = {**total, **debtors, **paid, **_promises(cohorts)}
    return Book(
        wanted=wanted,
        period=period,
        dimension=dimension,
        sums=sums,
        figures=evaluate(sums),
        periods=periods,
        groups=groups,
        scripts=scripts,
        nodes=await figures.nodes(wanted, script) if script else (),
        cohorts=cohorts,
        rolls=rolls,
        uplifts=uplifts(arms),
        agents=[row for row in agents if row.key],
    )


def uplifts(arms: Sequence[Arm]) -> list[Uplift]:
    """One comparison per strategy that has both arms: without hold-out there is nothing to compare with."""
    by_strategy: dict[str, dict[bool, Arm]] = defaultdict(dict)
    for arm in arms:
        by_strategy[arm.strategy][arm.held_out] = arm
    return [
        Uplift(
            strategy,
            Ratio(both[False].paid, both[False].cases),
            Ratio(both[True].paid, both[True].cases),
            Ratio(both[False].paid_fen, both[False].due_fen),
            Ratio(both[True].paid_fen, both[True].due_fen),
        )
        for strategy, both in sorted(by_strategy.items())
        if len(both) == 2
    ]


def roll_matrix(rolls: Sequence[Roll]) -> dict[str, dict[str, Ratio]]:
    """Shares of the cases of each stage that were in each stage a month later; every row sums to 1."""
    cells: dict[tuple[str, str], int] = defaultdict(int)
    whole: dict[str, int] = defaultdict(int)
    for roll in rolls:
        cells[roll.before, roll.after] += roll.cases
        whole[roll.before] += roll.cases
    matrix: dict[str, dict[str, Ratio]] = {before: {} for before in sorted(whole)}
    for (before, after), cases in sorted(cells.items()):
        matrix[before][after] = Ratio(cases, whole[before])
    return matrix


def _promises(cohorts: Sequence[Cohort]) -> dict[str, int]:
    names = ("matured", "kept", "kept_80", "broken", "renewed")
    return {name: sum(getattr(cohort, name) for cohort in cohorts) for name in names}


def as_json(book: Book) -> dict[str, object]:
    """A book as JSON values: every figure with numerator, denominator, value and interval."""
    return {
        "since": book.wanted.since.isoformat(),
        "until": book.wanted.until.isoformat(),
        "only": dict(book.wanted.only),
        "figures": {name: _figure(name, ratio) for name, ratio in book.figures.items()},
        "periods": [{"from": row.key, **row.sums} for row in book.periods],
        "groups": {"by": book.dimension, "rows": [{"key": row.key, **row.sums} for row in book.groups]},
        "funnel": [
            {"script": n.script, "node": n.node, "came": n.came, "ended": n.ended, "verified": n.verified,
             "promised": n.promised}
            for n in book.nodes
        ],
        "cohorts": [
            {"week": c.week.isoformat(), "matured": c.matured, "kept": c.kept, "kept_80": c.kept_80,
             "broken": c.broken, "renewed": c.renewed, "promised_fen": c.promised_fen, "paid_fen": c.paid_fen}
            for c in book.cohorts
        ],
        "rolls": {
            before: {after: _plain(ratio) for after, ratio in row.items()}
            for before, row in roll_matrix(book.rolls).items()
        },
        "uplift": [
            {"strategy": u.strategy, "treated": _plain(u.treated), "held_out": _plain(u.held_out),
             "difference": u.difference}
            for u in book.uplifts
        ],
        "agents": [{"agent": row.key, **row.sums} for row in book.agents],
    }  # fmt: skip


def _figure(name: str, ratio: Ratio) -> dict[str, object]:
    interval = ratio.interval() if FIGURES[name].counts else None
    return {**_plain(ratio), "unit": FIGURES[name].unit.value, "interval": interval}


def _plain(ratio: Ratio) -> dict[str, object]:
    return {"numerator": ratio.numerator, "denominator": ratio.denominator, "value": ratio.value}


def days_until(until: dt.date, days: int) -> ReportFilter:
    """The `days` days that end with `until`."""
    return ReportFilter(until - dt.timedelta(days=days - 1), until)
