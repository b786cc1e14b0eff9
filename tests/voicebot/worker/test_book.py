"""StoreBook: what is written of a call while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy.exc import DataError, OperationalError

from tests.voicebot.store.samples import NOON
from voicebot.call.outcome import outcome_of
from voicebot.domain.case import CallFacts
from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import Fact, FactKind
from voicebot.store import Store
from voicebot.worker import book as book_module
from voicebot.worker.book import StoreBook


async def test_the_row_of_a_call_names_the_script_it_followed(store: Store, tmp_path: Path) -> None:
    book = StoreBook(store, "w1", tmp_path, FixedClock(NOON))
    writer = asyncio.create_task(book.run())
    book.opened(CallFacts("c1", NOON, None, number="+8613800000001", direction="inbound"), "inbound", None)
    book.fact("c1", Fact(0, NOON.isoformat(), 0, FactKind.STARTED, {"script": "inbound", "script_sha256": "ab" * 32}))
    await asyncio.wait_for(book.drain(), 60)
    writer.cancel()
    record = await store.calls.find("c1")
    assert record is not None and (record.script, record.script_sha256) == ("inbound", "ab" * 32)
    assert record.running and record.worker == "w1"


class Facts:
    """The facts' table of a server that is away at first and refuses one call for ever."""

    def __init__(self) -> None:
        self.away = 100
        self.kept: list[str] = []

    async def append_all(self, news: Mapping[str, Iterable[Fact]]) -> None:
        for call_id in (*[one for one in news if one == "refused"], *news):
            await self.append(call_id, news[call_id])

    async def append(self, call_id: str, news: Iterable[Fact]) -> None:
        if self.away:
            self.away -= 1
            raise OperationalError("INSERT", {}, Exception("connection refused"))
        if call_id == "refused":
            raise DataError("INSERT", {}, Exception("unsupported Unicode escape sequence"))
        self.kept.append(call_id)


async def test_a_server_that_is_away_is_waited_for_and_one_refused_call_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book_module, "RETRY_S", 0.001)
    facts = Facts()
    book = StoreBook(cast(Store, SimpleNamespace(facts=facts)), "w1", tmp_path, FixedClock(NOON))
    for call_id in ("c1", "refused", "c2"):
        book.fact(call_id, Fact(0, NOON.isoformat(), 0, FactKind.NOTE, {"text": "x"}))
    writer = asyncio.create_task(book.run())
    await asyncio.wait_for(book.drain(), 60)
    writer.cancel()
    assert facts.kept == ["c1", "c2"]


async def test_a_call_whose_line_died_before_it_was_written_is_known_once_it_is_recovered(
    store: Store, tmp_path: Path
) -> None:
    book = StoreBook(store, "w1", tmp_path, FixedClock(NOON))
    writer = asyncio.create_task(book.run())
    told = {"call_id": "c9", "direction": "outbound", "number_masked": "138****0001", "script": "reminder"}
    facts = [
        Fact(0, NOON.isoformat(), 0, FactKind.STARTED, told),
        Fact(1, NOON.isoformat(), 9, FactKind.ENDED, {"by": "crash", "status": None, "reason": ""}),
    ]
    book.recovered("c9", facts, outcome_of(facts), tmp_path / "c9")
    await asyncio.wait_for(book.drain(), 60)
    writer.cancel()
    record = await store.calls.find("c9")
    assert record is not None and not record.running
    assert (record.worker, record.script, record.number) == ("w1", "reminder", "138****0001")
    assert len(await store.facts.of("c9")) == 2
