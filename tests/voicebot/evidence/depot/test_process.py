"""The upload process: what the lines sealed before they ended goes out before it ends too."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from voicebot.worker import upload_process
from voicebot.worker.names import worker_name
from voicebot.worker.upload_process import upload

from .conftest import Bucket, House


async def test_it_uploads_as_calls_close_and_once_more_at_the_end(
    house: House, bucket: Bucket, database_url: str
) -> None:
    worker = worker_name(0, house.home)
    await house.call("call-1", worker=worker)
    stop = asyncio.Event()
    running = asyncio.create_task(upload(bucket.settings, database_url, stop))
    async with asyncio.timeout(60):
        await _verified(house, 1)
        await house.call("call-2", worker=worker)
        await _verified(house, 2)
        await house.call("call-3", worker=worker)
        stop.set()
        await running
    assert (await house.store.uploads.figures()).verified == 3
    assert len(bucket.keys()) == 3


async def test_without_the_library_or_a_store_it_waits_and_says_so(
    bucket: Bucket, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from voicebot.evidence.depot import s3

    def nothing(name: str) -> Any:
        return None

    monkeypatch.setattr(s3.importlib.util, "find_spec", nothing)
    stop = asyncio.Event()
    stop.set()
    said: list[str] = []
    log = SimpleNamespace(error=lambda _event, error: said.append(error))
    monkeypatch.setattr(upload_process, "log", log)
    await upload(bucket.settings, database_url, stop)
    assert len(said) == 1 and "pip install 'voicebot[s3]'" in said[0]


async def _verified(house: House, count: int) -> None:
    while (await house.store.uploads.figures()).verified < count:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
