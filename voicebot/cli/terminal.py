"""Terminal: what all commands share: how they print, fail and reach the database."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from voicebot.store.store import Store

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON")]
Config = Annotated[Path | None, typer.Option("--config", help="TOML file with settings")]
Result = TypeVar("Result")


def print_row(value: object) -> None:
    """One line of JSON on standard output; in ASCII where it is not UTF-8, or the value can't be written in it."""
    line = json.dumps(value, ensure_ascii=False)
    utf8 = (sys.stdout.encoding or "").lower() in ("utf-8", "utf8")
    if not utf8 or any("\ud800" <= character <= "\udfff" for character in line):
        line = json.dumps(value)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def fail(message: str) -> NoReturn:
    """Say on standard error who must do what, and end with exit code 2."""
    typer.echo(message, err=True)
    raise typer.Exit(2)


def tell_unread() -> None:
    """Warn of VOICEBOT_… variables and keys of the settings file that nobody reads."""
    import structlog

    from voicebot.config import unread_settings

    for line in unread_settings():
        structlog.get_logger(__name__).warning("a setting that nobody reads", why=line)


def in_store(config: Path | None, work: Callable[[Store], Awaitable[Result]]) -> Result:
    """Run `work` on the migrated database of the installation, beside a running server or without one."""
    from voicebot.config import SettingsError, load_settings
    from voicebot.store import DatabaseError
    from voicebot.store.embedded import PostgresError, open_database
    from voicebot.store.migrate import migrate
    from voicebot.store.store import Store

    async def opened(url: str) -> Result:
        async with Store.from_url(url) as store:
            return await work(store)

    try:
        settings = load_settings(config)
        settings.home.mkdir(parents=True, exist_ok=True)
        with open_database(settings.home, settings.database_url) as url:
            migrate(url)
            return asyncio.run(opened(url))
    except DatabaseError as error:
        fail(database_trouble(error))
    except (SettingsError, PostgresError, ValueError, OSError) as error:
        fail(str(error))


def database_trouble(error: Exception) -> str:
    """What the operator reads when PostgreSQL does not answer or refuses: its own words and the remedy."""
    cause = str(getattr(error, "orig", None) or error).strip()
    return f"the database does not serve us: {cause}\nSee that PostgreSQL runs and that VOICEBOT_DATABASE_URL is right."
