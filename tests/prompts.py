"""Prompts are rendered once per test run: each installation that is started finds what the others have rendered."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_KEPT = "PROMPTS_OF_THIS_TEST_RUN"


def keep_prompts() -> None:
    """A folder for all processes of this run, those of pytest-xdist too."""
    os.environ[_KEPT] = tempfile.mkdtemp(prefix="vb-prompts-")


def forget_prompts() -> None:
    shutil.rmtree(os.environ.pop(_KEPT), ignore_errors=True)


def share_prompts(home: Path) -> None:
    """Before the installation below `home` is started for the first time."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "prompts").symlink_to(os.environ[_KEPT])
