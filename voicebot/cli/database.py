"""`voicebot database`: the tables: where they stand, and their two-part upgrade while older workers still run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from voicebot.cli.terminal import AsJson, Config, database_trouble, fail, print_row

if TYPE_CHECKING:
    from pathlib import Path

    from voicebot.store.migrate import Migrated

database = typer.Typer(no_args_is_help=True, help="Tables and their migrations")


@database.command("state")
def state(as_json: AsJson = False, config: Config = None) -> None:
    """Which migrations are missing, which of them must wait, and for whom. Changes nothing."""
    from voicebot.store.migrate import newest
    from voicebot.store.migrate import state as state_of

    with _opened(config) as url:
        found = state_of(url)
    phases = dict(_phases())
    if as_json:
        told = {"at": found.at, "missing": {name: phases[name] for name in found.ran}}
        print_row({**told, "held_back": list(found.held_back), "older": list(found.older)})
        return
    typer.echo(f"数据表 {found.at or '尚未建立'}；本程序所知最新 {newest()}")
    for name in found.ran:
        waits = f"，须等旧进程退出：{'、'.join(found.older)}" if name in found.held_back else ""
        typer.echo(f"{name}  {phases[name]}{waits}")


@database.command("upgrade")
def upgrade(
    before: Annotated[bool, typer.Option("--before", help="Only what older workers can live with")] = False,
    after: Annotated[bool, typer.Option("--after", help="All of it; refused while older workers live")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Run the migrations that are missing: --before while older workers run, --after when none is left.

    Without either, as far as the workers that are alive allow, which is what a start does by itself.
    """
    from voicebot.store.migrate import migrate

    if before and after:
        fail("--before or --after, not both: before the first worker is renewed, after the last one was")
    with _opened(config) as url:
        done = migrate(url, "before" if before else "after" if after else None)
    if as_json:
        print_row({"at": done.at, "ran": list(done.ran), "held_back": list(done.held_back), "older": list(done.older)})
    else:
        _tell(done)


def _tell(done: Migrated) -> None:
    typer.echo(f"已执行 {'、'.join(done.ran) or '无'}；数据表 {done.at}")
    if done.held_back:
        why = f"，旧进程仍在运行：{'、'.join(done.older)}" if done.older else ""
        typer.echo(f"留待之后：{'、'.join(done.held_back)}{why}")


def _phases() -> list[tuple[str, str]]:
    from voicebot.store.phases import in_order

    return [(name, str(phase)) for name, phase in in_order()]


@contextlib.contextmanager
def _opened(config: Path | None) -> Iterator[str]:
    """The database, not migrated; what goes wrong is told with exit code 2."""
    from voicebot.config import load_settings
    from voicebot.store import DatabaseError, PostgresError
    from voicebot.store.embedded import open_database

    try:
        settings = load_settings(config)
        settings.home.mkdir(parents=True, exist_ok=True)
        with open_database(settings.home, settings.database_url) as url:
            yield url
    except DatabaseError as error:
        fail(database_trouble(error))
    except (PostgresError, ValueError, OSError) as error:
        fail(str(error))
