"""The control process: its console waits for its address, and it leads only while its clock is right."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

import pytest

from voicebot import control
from voicebot.config import Settings
from voicebot.domain.clock import SystemClock
from voicebot.store import Store
from voicebot.worker.fleet import Fleet, Me
from voicebot.worker.fleet_clock import FleetClock
from voicebot.worker.premises import premises_of


async def test_a_taken_address_delays_the_console_and_does_not_end_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "STAND_BY_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        stop = asyncio.Event()
        settings = Settings(home=tmp_path, http_listen=f"127.0.0.1:{port}")
        premises = premises_of(settings, store, SystemClock(), lambda: None)
        fleet = Fleet(store, Me("c", "1", "1", ""), FleetClock())
        console = asyncio.create_task(control._console(store, settings, premises, fleet, stop))
        await asyncio.sleep(0.3)
        assert not console.done(), "nobody would ever learn that there is no console"
    for _ in range(400):
        if await answers(port):
            break
        await asyncio.sleep(0.05)
    else:
        raise AssertionError("the console stays away though its address is free")
    stop.set()
    await asyncio.wait_for(console, 60)


async def test_a_control_whose_clock_is_wrong_lets_another_one_lead(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "STAND_BY_S", 0.02)
    began, over = asyncio.Event(), asyncio.Event()

    async def dial(*given: object) -> None:
        stop = given[-1]
        assert isinstance(stop, asyncio.Event)
        began.set()
        await stop.wait()
        over.set()

    monkeypatch.setattr(control, "_dial", dial)
    settings, clock, stop = Settings(home=tmp_path), SystemClock(), asyncio.Event()
    premises = premises_of(settings, store, clock, lambda: None)
    fleet, lead, other = Fleet(store, Me("c", "1", "1", ""), FleetClock()), store.lead("x"), store.lead("x")
    leading = asyncio.create_task(control._dial_when_leading(store, settings, premises, fleet, lead, stop))
    async with asyncio.timeout(60):
        await began.wait()
        assert not await other.hold()
        fleet.skew_s = 600.0
        await over.wait()
        while not await other.hold():  # noqa: ASYNC110 - the database is what is waited for
            await asyncio.sleep(0.02)
        began.clear()
        await other.give_up()
        fleet.skew_s = 0.0
        await began.wait()
        stop.set()
        await leading


async def answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        line = await reader.readline()
        writer.close()
        return line.startswith(b"HTTP/1.1 200")
    return False
