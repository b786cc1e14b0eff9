"""The tables of the permission ledger: every answer of the rulebook, and the numbers that we may show."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Table, text

from voicebot.store.columns import flag, id_, json_, metadata, text_, when

decisions = Table(
    "decisions",
    metadata,
    id_(),
    Column("attempt_id", BigInteger, ForeignKey("attempts.id"), index=True),
    when("at"),
    flag("allowed"),
    text_("rule", nullable=True),
    text_("reason"),
    when("not_before", nullable=True),
    text_("pack_sha256"),
    text_("case_id", nullable=True),
    text_("debtor_id", nullable=True),
    text_("number", server_default=text("''")),
    text_("means", server_default=text("'call'")),
    json_("inputs"),
    Column("position", BigInteger),
    text_("sha256", nullable=True),
    Index("decisions_at_idx", "at"),
    Index("decisions_case_id_idx", "case_id"),
    Index("decisions_number_idx", "number"),
    Index("decisions_position_key", "position", unique=True),
    Index("decisions_unchained_idx", "id", postgresql_where=text("position IS NULL")),
)
"""`position` and `sha256` are written once, a moment after the row: see store/decisions.py."""

caller_ids = Table(
    "caller_ids",
    metadata,
    text_("number", primary_key=True),
    text_("holder"),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("verified_on", Date),
    text_("verified_by", nullable=True),
    when("saved_at"),
    text_("saved_by"),
)
