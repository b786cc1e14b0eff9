"""A bench for every test of a call session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from .bench import Bench, settle


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    one = Bench(tmp_path)
    await settle()
    yield one
    await one.leg.hang_up()
    await asyncio.wait_for(one.run, 5)
    one.recorder.seal(one.signer)
