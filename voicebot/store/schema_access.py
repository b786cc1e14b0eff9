"""The tables of who is logged in and how: sessions, second factors, waits after wrong passwords, rules for roles."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, text

from voicebot.store.columns import count, flag, metadata, text_, when

sessions = Table(
    "sessions",
    metadata,
    text_("token_sha256", primary_key=True),
    text_("username", ForeignKey("users.username", ondelete="CASCADE")),
    text_("way"),
    text_("address", server_default=text("''")),
    text_("browser", server_default=text("''")),
    when("created_at"),
    when("seen_at"),
    when("expires_at"),
    Index("sessions_username_idx", "username"),
)
"""Logins that last; only the hash of a cookie is kept. `way`: see `voicebot.domain.login.Way`."""

second_factors = Table(
    "second_factors",
    metadata,
    text_("username", ForeignKey("users.username", ondelete="CASCADE"), primary_key=True),
    text_("secret"),
    Column("last_step", BigInteger, nullable=False, server_default=text("0")),
    when("created_at"),
    when("confirmed_at", nullable=True),
)
"""Secrets of one-time codes (RFC 6238), under the master key where there is one; no code is right twice."""

recovery_codes = Table(
    "recovery_codes",
    metadata,
    text_("username", ForeignKey("users.username", ondelete="CASCADE"), primary_key=True),
    text_("code_sha256", primary_key=True),
    when("used_at", nullable=True),
)

lockouts = Table(
    "lockouts",
    metadata,
    text_("key", primary_key=True),
    count("failures"),
    when("last_at"),
    when("locked_until", nullable=True),
)
"""Wrong passwords and codes by the hash of what was typed as a name, known or not: both wait alike."""

role_policies = Table("role_policies", metadata, text_("role", primary_key=True), flag("second_factor"))
"""Roles that must have a second factor."""
