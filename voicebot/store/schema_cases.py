"""The tables of case files: what a case is made of beyond its bill, what was imported, and what happened to it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, LargeBinary, Table, text

from voicebot.store.columns import count, id_, json_, metadata, text_, when

instalments = Table(
    "instalments",
    metadata,
    text_("case_id", ForeignKey("cases.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("due_on", Date, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
)
"""The overdue parts of a loan, as the creditor's file listed them."""

imports = Table(
    "imports",
    metadata,
    text_("id", primary_key=True),
    text_("name"),
    text_("sha256"),
    text_("creditor", server_default=text("''")),
    Column("content", LargeBinary),
    json_("mapping"),
    text_("state", server_default=text("'uploaded'")),
    text_("uploaded_by"),
    when("uploaded_at"),
    when("started_at", nullable=True),
    when("beat_at", nullable=True),
    when("ended_at", nullable=True),
    count("done"),
    count("total"),
    json_("report"),
    Column("rejects", LargeBinary),
    text_("why", server_default=text("''")),
    Index("imports_uploaded_at_idx", "uploaded_at"),
)
"""Case files and what became of them. `content` is kept until the rows are in, `rejects` is the file to mend."""

file_shapes = Table(
    "file_shapes",
    metadata,
    text_("creditor", primary_key=True),
    text_("shape", primary_key=True),
    json_("mapping"),
    when("used_at"),
)
"""What a person said the headings of a creditor's files mean; `shape` is the hash of the headings."""

case_events = Table(
    "case_events",
    metadata,
    id_(),
    text_("case_id", ForeignKey("cases.id")),
    when("at"),
    text_("kind"),
    text_("by", server_default=text("''")),
    json_("data"),
    Index("case_events_case_id_at_idx", "case_id", "at"),
)
"""What happened to a case apart from calls and messages: imported, changed, suspended, reopened, closed, noted."""
