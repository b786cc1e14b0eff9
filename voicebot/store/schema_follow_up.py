"""The tables of what follows calls: money, tickets, addresses for messages, and what other systems are told."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, Table, UniqueConstraint, text

from voicebot.store.columns import count, flag, id_, json_, metadata, text_, texts, when

payments = Table(
    "payments",
    metadata,
    id_(),
    text_("case_id", ForeignKey("cases.id"), index=True),
    Column("amount_fen", BigInteger, nullable=False),
    Column("paid_on", Date, nullable=False),
    text_("channel", server_default=text("''")),
    text_("source"),
    text_("external_id"),
    when("received_at"),
    Column("promise_id", BigInteger, ForeignKey("promises.id")),
    UniqueConstraint("external_id"),
    Index("payments_received_at_idx", "received_at"),
)

addresses = Table(
    "addresses",
    metadata,
    id_(),
    text_("debtor_id", ForeignKey("debtors.id")),
    text_("channel"),
    text_("address"),
    count("rank"),
    flag("valid", default=True),
    flag("preferred"),
    when("opted_out_at", nullable=True),
    UniqueConstraint("debtor_id", "channel", "address"),
    Index("addresses_address_idx", "channel", "address"),
)
"""Where a debtor gets messages other than SMS; those go to `numbers`. `preferred`: rather here than by SMS."""

tickets = Table(
    "tickets",
    metadata,
    id_(),
    text_("kind"),
    text_("case_id", ForeignKey("cases.id"), nullable=True, index=True),
    text_("call_id", nullable=True),
    text_("state", server_default=text("'open'")),
    text_("team"),
    text_("owner", ForeignKey("users.username", ondelete="SET NULL"), nullable=True),
    when("opened_at"),
    when("deadline"),
    count("level"),
    when("closed_at", nullable=True),
    text_("closed_by", nullable=True),
    text_("decision", nullable=True),
    Column("rest_until", Date),
    flag("suspended"),
    Index("tickets_open_key", "case_id", "kind", unique=True, postgresql_where=text("state = 'open'")),
    Index("tickets_call_id_kind_key", "call_id", "kind", unique=True),
    Index("tickets_deadline_idx", "deadline", postgresql_where=text("state = 'open'")),
)
"""`suspended`: the case rests because of it. One open ticket of a kind for a case; more calls become notes."""

ticket_notes = Table(
    "ticket_notes",
    metadata,
    id_(),
    Column("ticket_id", BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"), nullable=False, index=True),
    when("at"),
    text_("by"),
    text_("text"),
    text_("call_id", nullable=True),
    Index("ticket_notes_call_id_key", "ticket_id", "call_id", unique=True),
)

events = Table(
    "events",
    metadata,
    id_(),
    text_("key"),
    text_("kind"),
    when("at"),
    text_("case_id", nullable=True, index=True),
    json_("data"),
    UniqueConstraint("key"),
)
"""What happened, each thing once by its key."""

webhooks = Table(
    "webhooks",
    metadata,
    text_("name", primary_key=True),
    text_("url"),
    text_("secret"),
    texts("events"),
    flag("active", default=True),
    when("created_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    id_(),
    text_("webhook", ForeignKey("webhooks.name", ondelete="CASCADE")),
    Column("event_id", BigInteger, ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
    text_("state", server_default=text("'waiting'")),
    count("tries"),
    when("next_at"),
    when("lease_until", nullable=True),
    Column("status", Integer),
    text_("why", server_default=text("''")),
    when("delivered_at", nullable=True),
    UniqueConstraint("webhook", "event_id"),
    Index("deliveries_due_idx", "next_at", postgresql_where=text("state IN ('waiting', 'sending')")),
)
