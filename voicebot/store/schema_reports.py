"""The tables of figures: what each call added, the same summed by day, and the portfolio month by month."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Index, Integer, SmallInteger, Table, text

from voicebot.domain.tally import COUNTERS, DIMENSIONS
from voicebot.store.columns import flag, id_, json_, metadata, text_, texts, when


def _numbers() -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False, server_default=text("0")) for name in COUNTERS]


report_calls = Table(
    "report_calls",
    metadata,
    text_("call_id", primary_key=True),
    Column("day", Date, nullable=False),
    *(text_(name) for name in DIMENSIONS),
    text_("campaign"),
    text_("debtor"),
    texts("nodes"),
    text_("last_node"),
    *_numbers(),
    # Distinct debtors can't be added up from days: they are counted from this index alone, without the wide rows.
    Index("report_calls_debtors_idx", "day", postgresql_include=["debtor", "verified", *DIMENSIONS]),
)
"""One row per call that is counted; `report_days` and `report_nodes` are its sums."""

report_days = Table(
    "report_days",
    metadata,
    Column("day", Date, primary_key=True),
    *(text_(name, primary_key=True) for name in DIMENSIONS),
    *_numbers(),
)

report_nodes = Table(
    "report_nodes",
    metadata,
    Column("day", Date, primary_key=True),
    text_("script", primary_key=True),
    text_("node", primary_key=True),
    Column("came", BigInteger, nullable=False),
    Column("ended", BigInteger, nullable=False),
    Column("verified", BigInteger, nullable=False),
    Column("promised", BigInteger, nullable=False),
)
"""Calls that came to a node of a script, and what became of them."""

case_months = Table(
    "case_months",
    metadata,
    Column("month", Date, primary_key=True),
    text_("case_id", primary_key=True),
    text_("stage"),
    Column("amount_fen", BigInteger, nullable=False),
)
"""Every case on the first day of a month that it was looked at; stage `cured` and `gone` for those that left."""

report_plans = Table(
    "report_plans",
    metadata,
    id_(),
    text_("name"),
    text_("period"),
    texts("formats"),
    texts("recipients"),
    Column("hour", SmallInteger, nullable=False, server_default=text("8")),
    json_("filters"),
    flag("active", default=True),
    text_("made_by"),
    when("made_at"),
    Column("sent_for", Date),
    when("tried_at", nullable=True),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    text_("why", server_default=text("''")),
)
"""Reports that are sent by e-mail; `sent_for` is the last day of the period that was sent last."""
