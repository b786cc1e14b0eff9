"""The brain has read a new version, and spoken its fixed sentences, before the first call is given it."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from voicebot.call.shelf import freeze
from voicebot.domain.case import CallFacts, Case, Creditor, Debtor
from voicebot.domain.clock import FixedClock
from voicebot.domain.script_version import OnAir, ScriptVersion, VersionState, sha256_of
from voicebot.domain.talk import Opened
from voicebot.worker import brain as module
from voicebot.worker.brain import Brain

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
DEBTOR, LENDER = Debtor("d1", "李振海", id_last4="4321", birth_mmdd="0512"), Creditor("k", "银行", "中心", "4008001234")
CASE = Case("c1", DEBTOR, LENDER, "消费分期", 350_000, 30, NOW.date())
BASE = Path(__file__).parents[3] / "docs" / "reference" / "script-findings"


class Prompts:
    def __init__(self) -> None:
        self.warmed: list[str] = []

    def warm(self, texts: list[str]) -> None:
        self.warmed += texts


def on_air(number: int, text: str) -> OnAir:
    return OnAir(ScriptVersion("base", number, text, sha256_of(text), VersionState.PUBLISHED, "w", NOW), 1.0)


class FullDisk(Prompts):
    """Fails once, when the first version comes that is published while the brain runs."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0

    def warm(self, texts: list[str]) -> None:
        if "谢谢您，再会。" in texts and not self.failures:
            self.failures += 1
            raise OSError(28, "No space left on device")
        super().warm(texts)


async def test_what_fails_once_does_not_end_the_following(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_FOR_SCRIPTS_S", 0.01)
    source = (BASE / "base.yaml").read_text(encoding="utf-8")
    prompts = FullDisk()
    brain = Brain(cast(Any, None), cast(Any, None), cast(Any, prompts), FixedClock(NOW), BASE, tmp_path)
    brain.load_scripts()
    freeze(tmp_path, [on_air(1, source.replace("打扰了，再见。", "谢谢您，再会。"))])
    following = asyncio.create_task(brain.follow_scripts())
    try:
        async with asyncio.timeout(60):
            while not prompts.failures:  # noqa: ASYNC110  nothing tells us
                await asyncio.sleep(0.01)
            freeze(tmp_path, [on_air(2, source.replace("打扰了，再见。", "改日再说。"))])
            while "改日再说。" not in prompts.warmed:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    finally:
        following.cancel()


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (None, ()),
        (CASE, ("李振海", "消费分期", "三千五百元")),
        (
            replace(CASE, principal_fen=300_000, fees_fen=50_000),
            ("李振海", "消费分期", "三千五百元", "三千元", "五百元"),
        ),
        (replace(CASE, principal_fen=350_000, fees_fen=0), ("李振海", "消费分期", "三千五百元")),
    ],
)
def test_the_recogniser_is_told_name_product_and_sums_and_no_secret(case: Case | None, words: tuple[str, ...]) -> None:
    assert module._hotwords(Opened(1, CallFacts("c", NOW, case), "reminder", answered=True)) == words


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
