"""The tables, in SQLAlchemy's words. Their history is in migrations/; a test holds the two together."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)

Time = DateTime(timezone=True)


def _text(name: str, *args: Any, **options: Any) -> Column[str]:
    """A text column that must be filled unless `nullable` says otherwise."""
    return Column(name, Text, *args, **{"nullable": False, **options})


def _flag(name: str, default: bool = False) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text("true" if default else "false"))


def _count(name: str, default: int = 0) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text(str(default)))


def _json(name: str) -> Column[Any]:
    return Column(name, JSONB, nullable=False, server_default=text("'{}'::jsonb"))


def _texts(name: str) -> Column[Any]:
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'::text[]"))


def _when(name: str, nullable: bool = False) -> Column[Any]:
    return Column(name, Time, nullable=nullable)


def _id() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


# --- whom we may talk to about which bill

creditors = Table(
    "creditors",
    metadata,
    _text("id", primary_key=True),
    _text("name"),
    _text("neutral_name"),
    _text("hotline"),
)

debtors = Table(
    "debtors",
    metadata,
    _text("id", primary_key=True),
    _text("name"),
    _text("salutation", server_default=text("'unknown'")),
    _text("id_last4", nullable=True),
    _text("birth_mmdd", nullable=True),
)

cases = Table(
    "cases",
    metadata,
    _text("id", primary_key=True),
    _text("debtor_id", ForeignKey("debtors.id"), index=True),
    _text("creditor_id", ForeignKey("creditors.id")),
    _text("product"),
    Column("amount_fen", BigInteger, nullable=False),
    Column("principal_fen", BigInteger),
    Column("fees_fen", BigInteger),
    _count("overdue_days"),
    Column("as_of", Date, nullable=False),
    _flag("lawsuit_filed"),
    _flag("credit_reported"),
    _flag("visit_scheduled"),
    _flag("entrusted", default=True),
    _text("jurisdiction", server_default=text("'CN'")),
    _text("status", server_default=text("'open'")),
    _when("updated_at"),
    _text("agent_id", ForeignKey("agents.id"), nullable=True, index=True),
    _when("agent_since", nullable=True),
)
"""`agent_id`: the agent who usually talks to this debtor, or who pulled the case."""

numbers = Table(
    "numbers",
    metadata,
    _id(),
    _text("debtor_id", ForeignKey("debtors.id")),
    _text("number", index=True),
    _text("kind", server_default=text("'debtor'")),
    _count("rank"),
    _flag("valid", default=True),
    UniqueConstraint("debtor_id", "number"),
)

contact_stops = Table(
    "contact_stops",
    metadata,
    _id(),
    _text("debtor_id", ForeignKey("debtors.id"), nullable=True, index=True),
    _text("number", nullable=True, index=True),
    _text("reason"),
    _text("call_id", nullable=True),
    _when("since"),
    _when("until", nullable=True),
    _when("cleared_at", nullable=True),
    _text("cleared_by", nullable=True),
)

consents = Table(
    "consents",
    metadata,
    _id(),
    _text("debtor_id", ForeignKey("debtors.id"), index=True),
    _text("kind"),
    _json("data"),
    _text("call_id", nullable=True),
    _when("given_at"),
    _when("revoked_at", nullable=True),
)

# --- dialling

campaigns = Table(
    "campaigns",
    metadata,
    _text("id", primary_key=True),
    _text("name"),
    _text("script"),
    _text("state", server_default=text("'draft'")),
    _json("segment"),
    _count("max_concurrency", 5),
    _count("priority"),
    _when("created_at"),
    _when("started_at", nullable=True),
    _when("stopped_at", nullable=True),
    Column("hours_from", SmallInteger),
    Column("hours_to", SmallInteger),
    _text("strategy", nullable=True),
)
"""`hours_from`, `hours_to`: minutes since midnight in Shanghai."""

attempts = Table(
    "attempts",
    metadata,
    _id(),
    _text("campaign_id", ForeignKey("campaigns.id"), nullable=True),
    _text("case_id", ForeignKey("cases.id")),
    _text("debtor_id", ForeignKey("debtors.id")),
    _text("number"),
    _text("target", server_default=text("'debtor'")),
    _text("purpose", server_default=text("'reminder'")),
    _text("script"),
    _count("tries", 1),
    _text("state", server_default=text("'waiting'")),
    _when("not_before"),
    _count("priority"),
    _text("leased_by", nullable=True),
    _when("leased_at", nullable=True),
    _when("lease_until", nullable=True),
    _when("placed_at", nullable=True),
    _when("settled_at", nullable=True),
    _text("call_id", nullable=True),
    _text("disposition", nullable=True),
    _text("reached", nullable=True),
    _text("why", server_default=text("''")),
    _text("rule", nullable=True),
    _flag("lost"),
    Index("attempts_waiting_idx", "priority", "not_before", postgresql_where=text("state = 'waiting'")),
    Index("attempts_leased_idx", "lease_until", postgresql_where=text("state IN ('leased', 'placed')")),
    Index("attempts_debtor_id_leased_at_idx", "debtor_id", "leased_at"),
    Index("attempts_number_leased_at_idx", "number", "leased_at"),
    Index("attempts_case_id_idx", "case_id"),
    # One open attempt per case, campaign and purpose, however often and by whomever it is asked for.
    Index(
        "attempts_open_key",
        "case_id",
        "campaign_id",
        "purpose",
        unique=True,
        postgresql_where=text("state IN ('waiting', 'leased', 'placed')"),
        postgresql_nulls_not_distinct=True,
    ),
    Index("attempts_campaign_id_state_idx", "campaign_id", "state"),
)

ledger = Table(
    "ledger",
    metadata,
    _text("scope", primary_key=True),
    _text("key", primary_key=True),
    Column("day", Date, primary_key=True),
    _count("used"),
)
"""What was reserved: scope is number_attempts, debtor_attempts or debtor_conversations; day in Shanghai."""

decisions = Table(
    "decisions",
    metadata,
    _id(),
    Column("attempt_id", BigInteger, ForeignKey("attempts.id"), nullable=False, index=True),
    _when("at"),
    _flag("allowed"),
    _text("rule", nullable=True),
    _text("reason"),
    _when("not_before", nullable=True),
    _text("pack_sha256"),
)

cadence = Table(
    "cadence",
    metadata,
    _text("campaign_id", ForeignKey("campaigns.id"), primary_key=True),
    _text("case_id", ForeignKey("cases.id"), primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    _text("means", primary_key=True),
    _text("words", primary_key=True),
    _when("planned_at"),
)
"""What a campaign's strategy has planned; `day` is the ordinal of a date."""

# --- calls

calls = Table(
    "calls",
    metadata,
    _text("id", primary_key=True),
    _text("direction"),
    _text("number"),
    Column("attempt_id", BigInteger, ForeignKey("attempts.id")),
    _text("case_id", ForeignKey("cases.id"), nullable=True, index=True),
    _text("campaign_id", nullable=True),
    _text("worker", nullable=True),
    _when("started_at"),
    _when("answered_at", nullable=True),
    _when("ended_at", nullable=True),
    Column("duration_ms", Integer),
    _text("disposition", nullable=True),
    _text("why", server_default=text("''")),
    _text("bundle", nullable=True),
    _flag("handoff"),
    _flag("verified"),
    _text("script", nullable=True),
    _text("script_sha256", nullable=True),
    _json("emotion"),
    Index("calls_started_at_idx", "started_at"),
    Index("calls_script_sha256_idx", "script_sha256"),
    Index("calls_running_idx", "worker", postgresql_where=text("ended_at IS NULL")),
)

facts = Table(
    "facts",
    metadata,
    _text("call_id", primary_key=True),
    Column("seq", Integer, primary_key=True),
    _when("at"),
    _count("ms"),
    _text("kind"),
    _json("data"),
    Index("facts_joined_idx", text("(data ->> 'agent')"), "at", postgresql_where=text("kind = 'joined'")),
)
"""A copy of the journals for live views and searches; the journal file remains the evidence."""

commands = Table(
    "commands",
    metadata,
    _id(),
    _text("call_id", index=True),
    _text("verb"),
    _json("payload"),
    _text("issued_by"),
    _when("issued_at"),
    _when("taken_at", nullable=True),
    _text("taken_by", nullable=True),
)

promises = Table(
    "promises",
    metadata,
    _id(),
    _text("case_id", ForeignKey("cases.id"), index=True),
    _text("call_id", nullable=True),
    Column("date", Date, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    _flag("confirmed"),
    _text("channel", nullable=True),
    _text("state", server_default=text("'open'")),
    _when("made_at"),
)

messages = Table(
    "messages",
    metadata,
    _id(),
    _text("case_id", ForeignKey("cases.id"), index=True),
    _text("call_id", nullable=True),
    Column("promise_id", BigInteger, ForeignKey("promises.id")),
    _text("kind"),
    _text("to"),
    _text("text", server_default=text("''")),
    _text("state", server_default=text("'waiting'")),
    _when("not_before"),
    _when("expires_at"),
    _when("created_at"),
    _count("tries"),
    _when("lease_until", nullable=True),
    _when("sent_at", nullable=True),
    _text("external_id", nullable=True),
    _text("rule", nullable=True),
    _text("why", server_default=text("''")),
    Index("messages_due_idx", "not_before", postgresql_where=text("state IN ('waiting', 'sending')")),
    Index("messages_promise_id_kind_key", "promise_id", "kind", unique=True),
)

callbacks = Table(
    "callbacks",
    metadata,
    _id(),
    _text("case_id", ForeignKey("cases.id"), nullable=True),
    _text("call_id", nullable=True),
    _text("number"),
    _when("at", nullable=True),
    _text("reason"),
    _when("booked_at"),
    _when("done_at", nullable=True),
    _text("agent_id", ForeignKey("agents.id"), nullable=True),
)

# --- people

agents = Table(
    "agents",
    metadata,
    _text("id", primary_key=True),
    _text("name"),
    _text("sip_uri"),
    _texts("skills"),
    _text("presence", server_default=text("'offline'")),
    _when("presence_at", nullable=True),
    _text("call_id", nullable=True),
    _texts("languages"),
    _count("after_call_s", 30),
    _when("wrap_until", nullable=True),
    _text("device", server_default=text("'phone'")),
    _text("note", server_default=text("''")),
)
"""`note`: why they are away, in their own words."""

waiting = Table(
    "waiting",
    metadata,
    _text("call_id", primary_key=True),
    _text("skill"),
    _text("language"),
    _text("reason"),
    _flag("urgent"),
    _text("agent_id", nullable=True),
    _texts("tried"),
    _when("since"),
    _when("seen_at"),
)
"""Calls that wait for a person; `agent_id` is whom the debtor knows. Who stops touching `seen_at` waits no more."""

wrapups = Table(
    "wrapups",
    metadata,
    _id(),
    _text("call_id"),
    _text("agent_id", ForeignKey("agents.id")),
    _text("case_id", ForeignKey("cases.id"), nullable=True),
    _text("code", server_default=text("''")),
    _text("notes", server_default=text("''")),
    _json("promise"),
    _json("plan"),
    _when("started_at"),
    _when("done_at", nullable=True),
    UniqueConstraint("call_id", "agent_id"),
    Index("wrapups_agent_id_started_at_idx", "agent_id", "started_at"),
)

alerts = Table(
    "alerts",
    metadata,
    _id(),
    _when("at"),
    _text("kind"),
    _text("call_id", nullable=True),
    _text("agent_id", nullable=True),
    _text("text"),
    _text("acknowledged_by", nullable=True),
    _when("acknowledged_at", nullable=True),
    Index("alerts_open_idx", "at", postgresql_where=text("acknowledged_at IS NULL")),
)
"""What a supervisor must see now; an insert wakes the wall."""

softphones = Table(
    "softphones",
    metadata,
    _text("agent_id", ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    _text("gateway"),
    _text("sip_uri"),
    _when("since"),
)
"""Who is on the telephone in the browser; `sip_uri` is the desk phone that is rung again afterwards."""

users = Table(
    "users",
    metadata,
    _text("username", primary_key=True),
    _text("display_name"),
    _text("role"),
    _text("password_hash", nullable=True),
    _text("agent_id", ForeignKey("agents.id"), nullable=True),
    _flag("disabled"),
    Column("failures", SmallInteger, nullable=False, server_default=text("0")),
    _when("locked_until", nullable=True),
    _when("created_at"),
)

permissions = Table(
    "permissions",
    metadata,
    _text("role", primary_key=True),
    _text("permission", primary_key=True),
)

secrets = Table(
    "secrets",
    metadata,
    _text("token_sha256", primary_key=True),
    _text("kind"),
    _text("username", ForeignKey("users.username", ondelete="CASCADE")),
    _text("label", server_default=text("''")),
    _when("created_at"),
    _when("expires_at", nullable=True),
    _when("used_at", nullable=True),
)
"""Login links (used once) and API tokens; only their hashes are kept."""

# --- call scripts

script_versions = Table(
    "script_versions",
    metadata,
    Column("id", UUID(as_uuid=False), primary_key=True, server_default=text("gen_random_uuid()")),
    _text("script"),
    Column("number", Integer, nullable=False),
    _text("source"),
    _text("frozen", server_default=text("''")),
    _text("sha256"),
    _text("state", server_default=text("'draft'")),
    _text("note", server_default=text("''")),
    _text("written_by"),
    _when("written_at"),
    _text("reviewed_by", nullable=True),
    _when("reviewed_at", nullable=True),
    _text("published_by", nullable=True),
    _when("published_at", nullable=True),
    _when("retired_at", nullable=True),
    UniqueConstraint("script", "number"),
)

script_splits = Table(
    "script_splits",
    metadata,
    _text("script", primary_key=True),
    _json("parts"),
    Column("hold_out", Double, nullable=False, server_default=text("0")),
    _when("since"),
)

script_plays = Table(
    "script_plays",
    metadata,
    _id(),
    _text("script"),
    _text("name"),
    _json("events"),
    _json("expected"),
    _text("made_by"),
    _when("made_at"),
    UniqueConstraint("script", "name"),
)
"""Chats with a script that became tests."""

settings = Table("settings", metadata, _text("key", primary_key=True), _text("value"))
"""Small things that all processes of an installation must agree on, such as the cookie secret."""
