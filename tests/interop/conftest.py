"""One installation for all tests of this folder; it must survive them all and stop cleanly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
import pytest_asyncio

from .installation import Installation


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "interop" in item.path.parts:
            item.add_marker(pytest.mark.slow)
            if item.get_closest_marker("alone") is None:
                item.add_marker(pytest.mark.realtime)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once more, at the very end, which foreign peers were not there to be tested against."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = [report.longrepr[2].removeprefix("Skipped: ") for report in skipped if isinstance(report.longrepr, tuple)]
    for reason, times in Counter(reason for reason in reasons if reason.startswith("!!!")).items():
        terminalreporter.write_line(f"{reason} ({times} interop tests were skipped)", red=True, bold=True)


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
