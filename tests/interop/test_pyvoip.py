"""pyVoIP, the simplest of foreign telephones, hears us whoever rings whom, its faults notwithstanding."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from voicebot.domain.journal import FactKind
from voicebot.store.store import Store
from voicebot.worker.commands import DIAL, address_of
from voicebot.worker.names import worker_name

from .installation import Installation, free_port

PROGRAM = Path(__file__).parent / "simple_phone.py"
PATIENCE_S, LOUD = 30, 4000
"""The telephone listens until it has heard so many bytes that are not silence, or its patience is at an end."""


@contextlib.asynccontextmanager
async def simple_phone(
    role: str, server_port: int, own_port: int
) -> AsyncIterator[asyncio.StreamReader]:
    """The telephone's process, ready; its standard output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), role, str(server_port), str(own_port), str(PATIENCE_S), str(LOUD),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert await said(process.stdout) == {"ready": True}
        yield process.stdout
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def said(stream: asyncio.StreamReader, within_s: float = 60.0) -> dict[str, Any]:
    line = await asyncio.wait_for(stream.readline(), within_s)
    assert line, "the telephone ended without a word"
    result: dict[str, Any] = json.loads(line)
    return result


async def test_pyvoip_calls_and_hears_the_opening(served: Installation) -> None:
    own = free_port(socket.SOCK_DGRAM)
    async with served.recording() as recording, simple_phone("call", served.sip[1], own) as phone:
        result = await said(phone)
    assert result["answered"]
    assert result["loud"] > LOUD, result
    # Its ACK and BYE may carry a tag that is not ours (pyVoIP issue 272); then the call ends by itself.
    await recording().sealed(45)
    assert recording().of(FactKind.SAYING)


async def test_pyvoip_is_rung_and_hears_us(served: Installation) -> None:
    own = free_port(socket.SOCK_DGRAM)
    async with simple_phone("answer", served.sip[1], own) as phone, served.recording() as recording:
        await dial(served, f"sip:simple@127.0.0.1:{own}", "interop-pyvoip")
        result = await said(phone)
    assert result["answered"]
    assert result["loud"] > LOUD, result
    await recording().sealed(45)
    assert recording().of(FactKind.ANSWERED)


async def dial(served: Installation, target: str, call_id: str) -> None:
    """Order a call of the worker, as the dialler does."""
    payload = {"call_id": call_id, "target": target, "script": "inbound"}
    async with Store.from_url(served.database_url) as store:
        now = dt.datetime.now(dt.UTC)
        await store.commands.issue(address_of(worker_name(0)), DIAL, now, by="test", payload=payload)
