"""The tables of segments and strategies: saved versions, risk of cases, who is held out, what follows a call."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, SmallInteger, Table, text

from voicebot.store.columns import flag, id_, json_, metadata, text_, when

policies = Table(
    "policies",
    metadata,
    text_("kind", primary_key=True),
    text_("name", primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    text_("source"),
    text_("saved_by"),
    when("saved_at"),
)
"""Segments, strategies, scorecards and stages as they were saved on the pages: YAML; the highest version counts."""

risks = Table(
    "risks",
    metadata,
    text_("case_id", ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True),
    Column("score", Integer, nullable=False, server_default=text("0")),
    text_("tier", server_default=text("''")),
    Column("shift", SmallInteger, nullable=False, server_default=text("0")),
    json_("reasons"),
    text_("card", server_default=text("''")),
    when("scored_at"),
    Index("risks_tier_idx", "tier"),
)
"""`tier` with `shift`, the steps that calls have moved it up (+) or down (-), already in it."""

cohorts = Table(
    "cohorts",
    metadata,
    text_("campaign_id", ForeignKey("campaigns.id"), primary_key=True),
    text_("case_id", ForeignKey("cases.id"), primary_key=True),
    text_("strategy"),
    flag("held_out"),
    Column("overdue_days", Integer, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    when("entered_at"),
    Index("cohorts_held_out_idx", "case_id", postgresql_where=text("held_out")),
)
"""Every case that a strategy reached, or left alone to compare with, as it was on its first day there."""

escalations = Table(
    "escalations",
    metadata,
    Column("attempt_id", BigInteger, ForeignKey("attempts.id"), primary_key=True, autoincrement=False),
    text_("case_id", ForeignKey("cases.id"), index=True),
    text_("rule", server_default=text("''")),
    Column("risk", SmallInteger, nullable=False, server_default=text("0")),
    text_("then", server_default=text("''")),
    when("follow_up_at", nullable=True),
    when("at"),
)
"""What a strategy made of a call's outcome; a row without `rule` says that nothing was to be done."""

assignments = Table(
    "assignments",
    metadata,
    id_(),
    text_("case_id", ForeignKey("cases.id"), index=True),
    text_("agent_id", ForeignKey("agents.id")),
    text_("mode"),
    text_("by", server_default=text("''")),
    when("at"),
    Index("assignments_agent_id_at_idx", "agent_id", "at"),
)
"""Whose a case became, when and how: `mode` is pull, push or back."""
