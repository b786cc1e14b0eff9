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
WRITTEN = re.compile(r'^    "([a-z0-9_.]+)": \(', re.MULTILINE)
ASKED = re.compile(r'words\(\s*"([a-z0-9_.]+)"')


def test_no_page_asks_for_a_word_that_is_missing() -> None:
    asked = {key for path in SOURCES for key in ASKED.findall(path.read_text(encoding="utf-8"))}
    assert len(asked) > 80
    assert sorted(asked - TEXTS.keys()) == []


def test_no_catalogue_takes_a_key_of_another() -> None:
    catalogues = [path for path in SOURCES if path.stem.endswith("words")]
    written = [key for path in catalogues for key in WRITTEN.findall(path.read_text(encoding="utf-8"))]
    assert len(written) > 500
    assert sorted({key for key in written if written.count(key) > 1}) == []


def test_the_trade_has_its_names() -> None:
    for name in [*Disposition, *EmotionLabel, *(f"role.{role}" for role in Role)]:
        assert str(name) in TEXTS
    stages = ("dialling", "ringing", "talking", "transferring", "agent", "ended")
    assert all(f"stage.{stage}" in TEXTS for stage in stages)
    assert intent_names()["ptp_date"] == "承诺具体日期还"
