"""Every word that the pages ask for is in the vocabulary."""

from __future__ import annotations

import re
from pathlib import Path

import voicebot.console
from voicebot.console.words import TEXTS, intent_names
from voicebot.domain.outcome import Disposition
from voicebot.domain.records import Role
from voicebot.domain.understanding import EmotionLabel

SOURCES = sorted(Path(voicebot.console.__file__).parent.rglob("*.py"))
ASKED = re.compile(r'words\(\s*"([a-z0-9_.]+)"')


def test_no_page_asks_for_a_word_that_is_missing() -> None:
    asked = {key for path in SOURCES for key in ASKED.findall(path.read_text(encoding="utf-8"))}
    assert len(asked) > 80
    assert sorted(asked - TEXTS.keys()) == []


def test_the_trade_has_its_names() -> None:
    for name in [*Disposition, *EmotionLabel, *(f"role.{role}" for role in Role)]:
        assert str(name) in TEXTS
    stages = ("dialling", "ringing", "talking", "transferring", "agent", "ended")
    assert all(f"stage.{stage}" in TEXTS for stage in stages)
    assert intent_names()["ptp_date"] == "承诺具体日期还"
