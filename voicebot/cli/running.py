"""Running until a signal: what serve, worker and control have in common."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from voicebot.cli.terminal import Config, database_trouble, fail, tell_unread

if TYPE_CHECKING:
    from voicebot.config import Settings

Work = Callable[["Settings", asyncio.Event], Awaitable[None]]
"""Runs with these settings until the event is set, then ends by itself."""


def run_until_signal(work: Work, config: Config, database: str | None = None) -> None:
    """Run `work` until SIGTERM or SIGINT; exit 1 with a sentence when it can't begin. `database` beats the settings."""
    import uvloop

    from voicebot.app import AlreadyRunning
    from voicebot.config import SettingsError, load_settings
    from voicebot.store import DatabaseError
    from voicebot.store.embedded import PostgresError
    from voicebot.telemetry.logs import setup_logs

    setup_logs()
    if database is not None:
        os.environ["VOICEBOT_DATABASE_URL"] = database  # for this process and those it starts

    async def until_signal() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        settings = load_settings(config)
        tell_unread()
        await work(settings, stop)

    try:
        uvloop.run(until_signal())
    except DatabaseError as error:
        fail(database_trouble(error))
    except (SettingsError, AlreadyRunning, PostgresError, ValueError, OSError) as error:
        fail(str(error))
