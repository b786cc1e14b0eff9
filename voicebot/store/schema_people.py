"""The tables of agents, users and what they do."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, SmallInteger, Table, UniqueConstraint, text

from voicebot.store.columns import count, flag, id_, json_, metadata, text_, texts, when

agents = Table(
    "agents",
    metadata,
    text_("id", primary_key=True),
    text_("name"),
    text_("sip_uri"),
    texts("skills"),
    text_("presence", server_default=text("'offline'")),
    when("presence_at", nullable=True),
    text_("call_id", nullable=True),
    texts("languages"),
    count("after_call_s", 30),
    when("wrap_until", nullable=True),
    text_("device", server_default=text("'phone'")),
    text_("note", server_default=text("''")),
    text_("via", nullable=True),
)
"""`note`: why they are away, in their own words. `via`: the worker whose line reaches their telephone; NULL: any."""

waiting = Table(
    "waiting",
    metadata,
    text_("call_id", primary_key=True),
    text_("skill"),
    text_("language"),
    text_("reason"),
    flag("urgent"),
    text_("agent_id", nullable=True),
    texts("tried"),
    when("since"),
    when("seen_at"),
)
"""Calls that wait for a person; `agent_id` is whom the debtor knows. Who stops touching `seen_at` waits no more."""

wrapups = Table(
    "wrapups",
    metadata,
    id_(),
    text_("call_id"),
    text_("agent_id", ForeignKey("agents.id")),
    text_("case_id", ForeignKey("cases.id"), nullable=True),
    text_("code", server_default=text("''")),
    text_("notes", server_default=text("''")),
    json_("promise"),
    json_("plan"),
    when("started_at"),
    when("done_at", nullable=True),
    UniqueConstraint("call_id", "agent_id"),
    Index("wrapups_agent_id_started_at_idx", "agent_id", "started_at"),
)

alerts = Table(
    "alerts",
    metadata,
    id_(),
    when("at"),
    text_("kind"),
    text_("call_id", nullable=True),
    text_("agent_id", nullable=True),
    text_("text"),
    text_("acknowledged_by", nullable=True),
    when("acknowledged_at", nullable=True),
    Index("alerts_open_idx", "at", postgresql_where=text("acknowledged_at IS NULL")),
)
"""What a supervisor must see now; an insert wakes the wall."""

softphones = Table(
    "softphones",
    metadata,
    text_("agent_id", ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    text_("gateway"),
    text_("sip_uri"),
    when("since"),
    text_("via", nullable=True),
)
"""Who is on the telephone in the browser; `sip_uri`, `via` are the desk phone that is rung again afterwards."""

users = Table(
    "users",
    metadata,
    text_("username", primary_key=True),
    text_("display_name"),
    text_("role"),
    text_("password_hash", nullable=True),
    text_("agent_id", ForeignKey("agents.id"), nullable=True),
    flag("disabled"),
    Column("failures", SmallInteger, nullable=False, server_default=text("0")),
    when("locked_until", nullable=True),
    when("created_at"),
    text_("identity", nullable=True),
    Index("users_identity_key", "identity", unique=True),
)
"""`identity`: issuer and subject at the identity provider, for who logs in there. Locks: see `lockouts`; `failures` and
`locked_until` are those of releases before it."""

permissions = Table(
    "permissions",
    metadata,
    text_("role", primary_key=True),
    text_("permission", primary_key=True),
)

secrets = Table(
    "secrets",
    metadata,
    text_("token_sha256", primary_key=True),
    text_("kind"),
    text_("username", ForeignKey("users.username", ondelete="CASCADE")),
    text_("label", server_default=text("''")),
    when("created_at"),
    when("expires_at", nullable=True),
    when("used_at", nullable=True),
    texts("scopes"),
    text_("role", nullable=True),
)
"""Login links (used once) and API tokens; only their hashes are kept. A token may do what its owner, its `role` and its
`scopes` may all do; no scopes: whatever the role may."""
