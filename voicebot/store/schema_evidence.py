"""The tables of the vault: who did what with recordings, and which cases nothing may be deleted of."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table

from voicebot.store.columns import id_, json_, metadata, text_, when

operations = Table(
    "operations",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    when("at"),
    text_("actor"),
    text_("role"),
    text_("action"),
    text_("subject"),
    json_("detail"),
    text_("sha256"),
    Index("operations_subject_idx", "subject"),
    Index("operations_at_idx", "at"),
)
"""Chained: `sha256` covers the row and the hash before it; see domain/operation.py."""

legal_holds = Table(
    "legal_holds",
    metadata,
    id_(),
    text_("case_id", ForeignKey("cases.id"), index=True),
    text_("reason"),
    text_("by"),
    when("since"),
    text_("lifted_by", nullable=True),
    when("lifted_at", nullable=True),
)
