"""A fresh laboratory per test; whatever a test leaves standing is hung up on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import looptime
import pytest_asyncio

from tests.sip.laboratory import Laboratory


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Laboratory]:
    laboratory = Laboratory()
    yield laboratory
    with looptime.enabled(strict=True):
        await asyncio.gather(*(agent.close() for agent in laboratory.agents))
    assert all(media.is_closed for media in laboratory.medias if media.is_open), "a call kept its media"
