"""A site on the tests' server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.voicebot.backup.sites import Site


@pytest.fixture
def site(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("VOICEBOT_OBJECT_STORE", "")
    monkeypatch.delenv("VOICEBOT_OBJECT_STORE")
    (tmp_path / "home" / "rules").mkdir(parents=True)
    (tmp_path / "home" / "rules" / "own.yaml").write_text("# ours\n")
    return Site(tmp_path / "home", database_url)
