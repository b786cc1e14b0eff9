"""`voicebot doctor`: is everything there that calls need? One line each, with the remedy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated

import typer

from voicebot.cli.terminal import AsJson, Config, fail, print_row

if TYPE_CHECKING:
    from voicebot.doctor.finding import Finding

_MARKS = {"ok": "✔", "warn": "!", "fail": "✘"}


def doctor(
    config: Config = None,
    as_json: AsJson = False,
    without_call: Annotated[bool, typer.Option("--no-call", help="Leave out the call to ourselves")] = False,
) -> None:
    """Check ports, disk, clock, database, object store, audio path, models, calendar, trunks; exit 1 when one is not
    well."""
    from voicebot.config import SettingsError, load_settings
    from voicebot.doctor.examination import examine
    from voicebot.doctor.finding import Health, worst
    from voicebot.telemetry.logs import setup_logs

    setup_logs("ERROR")
    try:
        settings = load_settings(config)
    except SettingsError as error:
        fail(str(error))
    found = asyncio.run(_shown(examine(settings, with_call=not without_call), as_json))
    health = worst(found)
    if as_json:
        print_row({"health": str(health), "findings": [one.row() for one in found]})
    raise typer.Exit(1 if health is Health.FAIL else 0)


async def _shown(findings: AsyncIterator[Finding], as_json: bool) -> list[Finding]:
    made = []
    async for one in findings:
        made.append(one)
        if not as_json:
            remedy = f"\n    → {one.remedy}" if one.remedy else ""
            typer.echo(f"{_MARKS[one.health]} {one.check}: {one.said}{remedy}")
    return made
