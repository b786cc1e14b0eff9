"""Fixtures: the shipped scripts, loaded once."""

from __future__ import annotations

import pytest

from voicebot.dialog.loader import find_script, load_script
from voicebot.dialog.script import Script


@pytest.fixture(scope="session")
def reminder() -> Script:
    return load_script(find_script("reminder"))


@pytest.fixture(scope="session")
def inbound() -> Script:
    return load_script(find_script("inbound"))
