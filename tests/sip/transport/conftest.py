"""Real sockets run on the loop that the product uses; whole calls on Python's own loop too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    if "test_calls" in item.nodeid or "test_stream" in item.nodeid:
        loops = {"uvloop": uvloop.new_event_loop} | ({} if "test_stream" in item.nodeid else loops)
    return loops
