"""One row: so many calls at once with the whole server, for a while that neither begins nor ends with them."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.capacity.campaign import finish, keep_at, prepare, wakes
from benchmarks.capacity.database import call_seconds, counters, stretches, talk_seconds
from benchmarks.capacity.processes import Snapshot, memory_mb, snapshot, used
from benchmarks.capacity.verdict import OURS
from benchmarks.line.witness import Stillness, watched
from benchmarks.turns.figures import figures, lateness
from benchmarks.turns.server import Server, heard, punctuality, server, turn_parts
from voicebot.store.database import ALERTS, CLOSED, COMMANDS, DESK, DIALLING, FACTS, SCRIPTS

CALL_S: Final = 30.0
"""About as long as a call of these debtors lasts; calls begin spread over this time."""
CALM_CORES: Final = 0.15
"""A server that takes more has not come to rest after its start, which is no idling."""
CALM_WITHIN_S: Final = 25.0
IDLE_S: Final = 12.0
RING_S: Final = 25.0
CHANNELS: Final = (FACTS, COMMANDS, CLOSED, DESK, ALERTS, SCRIPTS, DIALLING)


async def row(
    calls: int, seconds: float, prompts: Path, *, workers: int = 1, nobody_home: bool = False
) -> dict[str, Any]:
    """Figures of so many calls at once, kept up for `seconds`; with `nobody_home` they ring and none is answered."""
    home = Path(tempfile.mkdtemp(prefix="vb-capacity-"))
    phones = ("--nobody-home", str(RING_S)) if nobody_home else ()
    try:
        async with server(home, calls, prompts, workers=workers, phones=phones) as under_test:
            with watched() as machine:
                told, window = await _measured(under_test, calls, seconds)
        told |= {"server": "ours", "kind": "ringing" if nobody_home else "talking", "calls": calls, "workers": workers}
        late = punctuality(home)
        told |= {"ticks": late["ticks"], "late_ticks": late["late_over_40_ms"], "stolen_percent": machine.stolen * 100}
        if not nobody_home:
            told |= _turns(heard(home), window, machine)
            turn_parts(sorted((home / "recordings").glob("*/*/*/*/*.zip")))  # raises where evidence does not verify
        return told
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def _measured(under_test: Server, calls: int, seconds: float) -> tuple[dict[str, Any], tuple[float, float]]:
    store, spread_s = under_test.store, CALL_S if calls > 1 else 0.0
    await _come_to_rest(under_test)
    idle, idle_rows = await _idle(under_test)
    await prepare(store, under_test.far_end, round(calls * (2 + (spread_s + seconds) / 15)))
    growing = asyncio.create_task(keep_at(store, calls, spread_s))
    await asyncio.sleep(spread_s + CALL_S / 2)  # the first ones are over or nearly so, and the next ones ring
    await growing
    async with wakes(under_test, CHANNELS) as woken:
        before, rows_before = snapshot(under_test), await counters(under_test.url)
        await asyncio.sleep(seconds / 2)
        memory = memory_mb(under_test)
        await asyncio.sleep(seconds / 2)
        after, rows_after = snapshot(under_test), await counters(under_test.url)
    await finish(under_test)
    begin, end = before.at_s, after.at_s
    lines = await stretches(under_test.url, begin, end)
    told = _costs(used(before, after), idle, call_seconds(lines, begin, end), end - begin)
    ended = [one for one in lines if begin <= one.ended < end]
    counts: dict[str, float] = {name: float(n) for name, n in woken.by_channel.items()}
    told |= {"memory_mb": memory, "calls_ended": len(ended), "talk_s": talk_seconds(lines, begin, end)}
    of_calls = {name: count - idle_rows[name] * (end - begin) for name, count in rows_after.since(rows_before).items()}
    told |= {"database": of_calls, "idle_database": idle_rows, "wakes": counts}
    told["dispositions"] = dict(Counter(one.disposition for one in ended))
    return told, (begin, end)


async def _come_to_rest(under_test: Server) -> None:
    deadline = time.monotonic() + CALM_WITHIN_S
    while time.monotonic() < deadline:
        before = snapshot(under_test)
        await asyncio.sleep(4.0)
        spent = per_second(before, snapshot(under_test))
        if sum(spent[part] for part in OURS) < CALM_CORES:
            return


async def _idle(under_test: Server) -> tuple[dict[str, float], dict[str, float]]:
    """What every part, and the database, does in a second while no call runs."""
    before, rows_before = snapshot(under_test), await counters(under_test.url)
    await asyncio.sleep(IDLE_S)
    after, rows_after = snapshot(under_test), await counters(under_test.url)
    took_s = after.at_s - before.at_s
    rows = {name: count / took_s for name, count in rows_after.since(rows_before).items()}
    return per_second(before, after), rows


def per_second(before: Snapshot, after: Snapshot) -> dict[str, float]:
    took_s = after.at_s - before.at_s
    return {name: spent / took_s for name, spent in used(before, after).items()}


def _costs(spent: Mapping[str, float], idle: Mapping[str, float], call_s: float, took_s: float) -> dict[str, Any]:
    """`spent`: CPU seconds by part within `took_s`; `idle`: CPU seconds a second that are spent without any call."""
    per_minute = {name: seconds / call_s * 60 for name, seconds in spent.items()} if call_s else {}
    of_calls = {name: (spent[name] - idle.get(name, 0.0) * took_s) / call_s * 60 for name in spent} if call_s else {}
    return {
        "seconds": took_s,
        "call_s": call_s,
        "at_once": call_s / took_s,
        "core": {name: seconds / took_s for name, seconds in spent.items()},
        "idle_core": dict(idle),
        "cpu_s_per_call_minute": per_minute,
        "of_the_call_itself": of_calls,
    }


def _turns(told: dict[str, Any], window: tuple[float, float], machine: Stillness) -> dict[str, Any]:
    """What the telephones heard within the window."""
    begin, end = window
    turns = [wait for wait, at in zip(told["turns_s"], told["turned_at"], strict=True) if begin <= at < end]
    return figures({**told, "turns_s": turns}) | lateness(told, machine.gaps, window)

