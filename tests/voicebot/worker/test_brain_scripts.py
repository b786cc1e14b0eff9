"""The brain has read a new version, and spoken its fixed sentences, before the first call is given it."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any, cast

import pytest

from voicebot.call.shelf import freeze
from voicebot.domain.clock import FixedClock
from voicebot.domain.script_version import OnAir, ScriptVersion, VersionState, sha256_of
from voicebot.worker import brain as module
from voicebot.worker.brain import Brain

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
BASE = Path(__file__).parents[3] / "docs" / "reference" / "script-findings"


class Prompts:
    def __init__(self) -> None:
        self.warmed: list[str] = []

    def warm(self, texts: list[str]) -> None:
        self.warmed += texts


def on_air(number: int, text: str) -> OnAir:
    return OnAir(ScriptVersion("base", number, text, sha256_of(text), VersionState.PUBLISHED, "w", NOW), 1.0)


async def test_a_version_published_while_the_brain_runs_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_FOR_SCRIPTS_S", 0.01)
    source = (BASE / "base.yaml").read_text(encoding="utf-8")
    freeze(tmp_path, [on_air(1, source)])
    prompts = Prompts()
    brain = Brain(cast(Any, None), cast(Any, None), cast(Any, prompts), FixedClock(NOW), BASE, tmp_path)
    brain.load_scripts()
    freeze(tmp_path, [on_air(2, source.replace("打扰了，再见。", "谢谢您，再会。"))])
    following = asyncio.create_task(brain.follow_scripts())
    try:
        async with asyncio.timeout(60):
            while "谢谢您，再会。" not in prompts.warmed:  # noqa: ASYNC110  nothing tells us
                await asyncio.sleep(0.01)
    finally:
        following.cancel()
    assert "打扰了，再见。" in prompts.warmed
