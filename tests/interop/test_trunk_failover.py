"""A whole `voicebot serve` over two trunks: a dial order whose first trunk is full is one call with one journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.voicebot.telephony.carriers import Carrier, answer, carriers, eventually, refuse
from voicebot.console.line_view import line_view
from voicebot.domain.clock import SystemClock
from voicebot.domain.journal import FactKind
from voicebot.store import Store
from voicebot.worker.commands import DIAL, address_of
from voicebot.worker.names import worker_name

from .installation import Installation

TRUNK = (
    '[[trunks]]\nname = "{name}"\nhost = "127.0.0.1:{port}"\npriority = {priority}\ncaller.numbers = ["01012345678"]\n'
)


@pytest_asyncio.fixture
async def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Carrier, Installation]]:
    async with carriers(refuse(503, 60), answer) as (full, good):
        file = tmp_path / "trunks.toml"
        trunks = [("full", full.line.address[1], 1), ("good", good.line.address[1], 2)]
        file.write_text("".join(TRUNK.format(name=name, port=port, priority=first) for name, port, first in trunks))
        monkeypatch.setenv("VOICEBOT_TRUNKS", str(file))
        installation = Installation()
        try:
            await installation.ready()
            yield good, installation
        finally:
            installation.close()


@pytest.mark.slow
async def test_a_full_trunk_is_followed_by_the_next_in_one_journal(both: tuple[Carrier, Installation]) -> None:
    good, installation = both
    order = {"call_id": "trunked", "target": "+8613800138000", "script": "inbound"}
    async with installation.recording() as recording, Store.from_url(installation.database_url) as store:
        clock = SystemClock()
        await store.commands.issue(address_of(worker_name(0)), DIAL, clock.now(), by="test", payload=order)
        await eventually(lambda: bool(good.taken), 20)
        call = recording()
        await call.has(FactKind.ANSWERED)
        (tried,) = call.of(FactKind.TRUNK_TRIED)
        assert (tried.data["trunk"], tried.data["status"], tried.data["next"]) == ("full", 503, "good")
        assert tried.data["sip_call_id"] == good.taken[0].id
        assert good.header("From").startswith("<sip:01012345678@")
        for _ in range(100):
            trunks = line_view(await store.workers.all()).trunks
            if {trunk.state for trunk in trunks} == {"paused", "up"}:
                break
            await asyncio.sleep(0.1)
        assert {trunk.state for trunk in trunks} == {"paused", "up"}
        await good.taken[0].hang_up()
        await call.sealed()
        for _ in range(100):  # the call book is written behind the call's back
            record = await store.calls.find("trunked")
            if record is not None and record.ended_at is not None:
                break
            await asyncio.sleep(0.1)
        assert record is not None and record.ended_at is not None
