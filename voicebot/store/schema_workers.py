"""The tables of the fleet: workers and controls, which renew their rows every second by the database's clock."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, func, text

from voicebot.store.columns import count, flag, json_, metadata, text_
from voicebot.store.columns import when as _when

workers = Table(
    "workers",
    metadata,
    text_("name", primary_key=True),
    text_("machine"),
    text_("home"),
    text_("life"),
    Column("epoch", BigInteger, nullable=False, server_default=text("1")),
    text_("state", server_default=text("'up'")),
    text_("version"),
    text_("schema"),
    text_("sip", server_default=text("''")),
    _when("joined_at"),
    _when("seen_at"),
    count("calls"),
    count("most"),
    flag("may_dial"),
    flag("drain"),
    text_("drain_by", server_default=text("''")),
    count("skew_ms"),
    json_("figures"),
)
"""`epoch` grows with every life and whenever a worker is taken for dead: who beats with an older one is refused."""

controls = Table(
    "controls",
    metadata,
    text_("name", primary_key=True),
    text_("version"),
    text_("schema"),
    text_("http", server_default=text("''")),
    flag("leads"),
    _when("seen_at"),
    count("skew_ms"),
)

NOW = func.clock_timestamp()
"""The database's own time: machines whose clocks differ still agree on who is alive."""
