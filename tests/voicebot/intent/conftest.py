"""The shipped model, loaded once for all tests of understanding."""

from __future__ import annotations

import pytest

from voicebot.intent.understander import Understander


@pytest.fixture(scope="session")
def understander() -> Understander:
    return Understander()
