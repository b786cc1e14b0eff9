"""One installation for all tests of this folder; it must survive them all and stop cleanly."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
import pytest_asyncio

from .installation import Installation


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "interop" in item.path.parts:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def running() -> Iterator[Installation]:
    installation = Installation()
    try:
        yield installation
        installation.terminate()
        code = installation.process.wait(90)
        assert code == 0, f"voicebot serve ended with {code}:\n{installation.said()}"
    finally:
        installation.close()


@pytest_asyncio.fixture
async def served(running: Installation) -> Installation:
    """The installation, ready to take a call, and still so after the test."""
    await running.ready()
    return running


@pytest.fixture(scope="session")
def sipp() -> str:
    """SIPp's path. It is no Python package: `make peers` installs it where apt works."""
    path = shutil.which("sipp")
    if path is None:
        pytest.skip("!!! NO SIPP: install the package sip-tester (make peers) to test against it")
    return path
