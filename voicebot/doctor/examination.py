"""Examination: all checks one after the other; one that breaks is a finding, and keeps no other from being made."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable, Iterable

from voicebot.config import Settings
from voicebot.doctor import machine, outside, substance
from voicebot.doctor.finding import Finding, ill
from voicebot.doctor.loop_call import audio_path
from voicebot.domain.clock import SHANGHAI

Check = Callable[[], Iterable[Finding]]


async def examine(settings: Settings, *, with_call: bool = True) -> AsyncIterator[Finding]:
    """Every finding as soon as it is made; a few seconds in all."""
    today = dt.datetime.now(SHANGHAI).date()
    checks: list[tuple[str, Check]] = [
        ("settings", machine.settings_read),
        ("ports", lambda: machine.ports(settings)),
        ("disk", lambda: [machine.disk(settings)]),
        ("folder", lambda: machine.folders(settings)),
        ("permissions", lambda: machine.secret_files(settings)),
        ("priority", lambda: [machine.priority()]),
        ("database", lambda: outside.database(settings)),
        ("object store", lambda: outside.object_store(settings)),
        ("models", lambda: [substance.models()]),
        ("engines", lambda: [substance.engines(settings)]),
        ("scripts", lambda: [substance.call_scripts()]),
        ("rules", lambda: substance.rules(settings, today)),
        ("fonts", lambda: [machine.fonts()]),
    ]
    for name, check in checks:
        for finding in await asyncio.to_thread(_made, name, check):
            yield finding
    async for finding in outside.trunks(settings):
        yield finding
    if with_call:
        yield await audio_path()


def _made(name: str, check: Check) -> list[Finding]:
    try:
        return list(check())
    except Exception as error:  # a check that breaks is itself a finding
        return [ill(name, f"the check itself failed: {error!r}", "tell the makers what stands here")]
