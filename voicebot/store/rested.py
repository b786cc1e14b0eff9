"""Connections that rested are asked whether they still stand; one that was just used is taken at its word.

Asking costs a round trip and 0.4 ms of ours for each transaction, a fifth of a small one.
"""

from __future__ import annotations

import time
from typing import Any, Final

import psycopg
from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine

FRESH_S: Final = 1.0
"""A connection that was used within this time is not asked. What breaks meanwhile is noticed by its next user."""


def ask_the_rested(engine: AsyncEngine) -> None:
    """Ask each connection of this engine that rested before it is given out; where one is gone all are made anew."""
    dialect = engine.sync_engine.dialect

    @event.listens_for(engine.sync_engine, "checkin")
    def back(_connection: object, record: Any) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def out(connection: Any, record: Any, _proxy: object) -> None:
        used = record.info.get("used")
        if used is None or time.monotonic() - used < FRESH_S:
            return
        try:
            dialect.do_ping(connection)
        except psycopg.Error as error:
            raise InvalidatePoolError(str(error)) from error
