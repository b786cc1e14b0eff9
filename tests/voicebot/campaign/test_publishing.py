"""The way to the air: shipped scripts come in by themselves, own ones through compiler and four eyes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from voicebot.campaign.publishing import Publishing, ScriptBroken
from voicebot.config import scripts_dir
from voicebot.dialog.loader import load_script
from voicebot.domain.clock import FixedClock
from voicebot.domain.script_version import VersionState
from voicebot.store import Store
from voicebot.store.script_versions import VersionRefused

CLOCK = FixedClock(dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC))
CHILD = "script: child\ntitle: 试\nextends: base\n"
BASE = Path(__file__).parents[3] / "docs" / "reference" / "script-findings"


@pytest.fixture
def publishing(store: Store) -> Publishing:
    return Publishing(store, BASE, CLOCK)


async def test_shipped_scripts_go_on_the_air_once(store: Store) -> None:
    publishing = Publishing(store, scripts_dir(), CLOCK)
    first = await publishing.ship()
    assert {version.script for version in first} == {file.stem for file in scripts_dir().glob("*.yaml")}
    assert {version.state for version in first} == {VersionState.PUBLISHED}
    assert await publishing.ship() == []


async def test_a_frozen_version_holds_all_it_rests_on(publishing: Publishing, store: Store, tmp_path: Path) -> None:
    await publishing.draft("child", CHILD, "writer")
    await publishing.review("child", 1, "reader")
    published = await publishing.publish("child", 1, "boss")
    file = tmp_path / "child@1.yaml"
    file.write_text(published.frozen, encoding="utf-8")
    script = load_script(file)
    assert (script.id, script.sha256) == ("child", published.sha256)
    assert script.nodes.keys() == load_script(BASE / "base.yaml").nodes.keys()


async def test_what_is_wrong_with_a_version_stands_in_the_refusal(publishing: Publishing, store: Store) -> None:
    await publishing.draft("child", CHILD + "start: nowhere\n", "writer")
    with pytest.raises(ScriptBroken, match="version 1 of child has 1 errors") as refusal:
        await publishing.review("child", 1, "reader")
    assert [finding.code for finding in refusal.value.findings] == ["unknown-node"]
    assert (await store.script_versions.get("child", 1)).state is VersionState.DRAFT


async def test_the_writer_cannot_review_through_the_compiler_either(publishing: Publishing) -> None:
    await publishing.draft("child", CHILD, "writer")
    with pytest.raises(VersionRefused, match="somebody else"):
        await publishing.review("child", 1, "writer")
