"""The table of uploads: sealed calls on their way to the object store, and there."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from voicebot.store.columns import count, flag, metadata, text_, when

uploads = Table(
    "uploads",
    metadata,
    Column("call_id", Text, ForeignKey("calls.id"), primary_key=True),
    text_("bundle"),
    text_("worker", nullable=True),
    when("queued_at"),
    count("tries"),
    when("next_at"),
    text_("leased_by", nullable=True),
    when("lease_until", nullable=True),
    text_("error", server_default=""),
    text_("key", nullable=True),
    text_("version", nullable=True),
    Column("size", BigInteger, nullable=True),
    text_("sha256", nullable=True),
    when("uploaded_at", nullable=True),
    when("verified_at", nullable=True),
    flag("read_back"),
    when("keep_until", nullable=True),
    flag("held"),
    when("expired_at", nullable=True),
    when("local_removed_at", nullable=True),
)
"""`keep_until`, `held`: how the object is protected now. `expired_at`: its term is over, it is gone from the store."""

Index(
    "uploads_waiting_idx",
    uploads.c.next_at,
    postgresql_where=uploads.c.verified_at.is_(None) & uploads.c.expired_at.is_(None),
)
Index(
    "uploads_local_idx",
    uploads.c.worker,
    uploads.c.verified_at,
    postgresql_where=uploads.c.local_removed_at.is_(None),
)
