"""Marks of this folder: each test holds whole machines, so it runs by itself."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "cluster" in item.path.parts:
            for mark in (pytest.mark.slow, pytest.mark.alone, pytest.mark.cluster):
                item.add_marker(mark)
