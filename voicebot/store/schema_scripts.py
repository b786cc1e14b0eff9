"""The tables of call scripts: versions, splits, chats that became tests."""

from __future__ import annotations

from sqlalchemy import Column, Double, Integer, Table, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import UUID

from voicebot.store.columns import id_, json_, metadata, text_, when

script_versions = Table(
    "script_versions",
    metadata,
    Column("id", UUID(as_uuid=False), primary_key=True, server_default=text("gen_random_uuid()")),
    text_("script"),
    Column("number", Integer, nullable=False),
    text_("source"),
    text_("frozen", server_default=text("''")),
    text_("sha256"),
    text_("state", server_default=text("'draft'")),
    text_("note", server_default=text("''")),
    text_("written_by"),
    when("written_at"),
    text_("reviewed_by", nullable=True),
    when("reviewed_at", nullable=True),
    text_("published_by", nullable=True),
    when("published_at", nullable=True),
    when("retired_at", nullable=True),
    UniqueConstraint("script", "number"),
)

script_splits = Table(
    "script_splits",
    metadata,
    text_("script", primary_key=True),
    json_("parts"),
    Column("hold_out", Double, nullable=False, server_default=text("0")),
    when("since"),
)

script_plays = Table(
    "script_plays",
    metadata,
    id_(),
    text_("script"),
    text_("name"),
    json_("events"),
    json_("expected"),
    text_("made_by"),
    when("made_at"),
    UniqueConstraint("script", "name"),
)
"""Chats with a script that became tests."""
