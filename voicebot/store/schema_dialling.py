"""The tables of the dialler: what workers share of the trunks, and what an operator has halted."""

from __future__ import annotations

from sqlalchemy import Column, Float, Table, text

from voicebot.store.columns import count, metadata, text_, when

trunk_shares = Table(
    "trunk_shares",
    metadata,
    text_("trunk", primary_key=True),
    text_("worker", primary_key=True),
    count("channels"),
    Column("per_second", Float, nullable=False, server_default=text("0")),
    count("used"),
    when("until"),
    text_("registers", server_default=text("''")),
)
"""What each worker may use of a trunk until a moment; the shares of one trunk never exceed what it carries.

`registers`: the address with which the worker stays registered there, for all; "" for all others.
"""

halts = Table(
    "halts",
    metadata,
    text_("scope", primary_key=True),
    when("since"),
    text_("by"),
    text_("why", server_default=text("''")),
)
"""While there is a row no call is begun by the dialler. `scope`: all."""
