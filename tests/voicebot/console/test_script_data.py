"""Drafts of two people, four eyes, tests that must pass, and new scripts, against a real database."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import pytest

from tests.voicebot.reports.morning import morning
from voicebot.config import scripts_dir
from voicebot.console.pages.trial import report_page
from voicebot.console.script_data import DraftTaken, ScriptsData
from voicebot.console.words import Words
from voicebot.domain.clock import SHANGHAI, FixedClock
from voicebot.domain.script_version import VersionState
from voicebot.store import Store
from voicebot.store.script_versions import VersionRefused, VersionUnknown

NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
SOURCE = (scripts_dir() / "survey.yaml").read_text(encoding="utf-8")


@pytest.fixture
async def library(store: Store) -> ScriptsData:
    await store.script_versions.save_draft("survey", SOURCE, "lin", NOW)
    return ScriptsData(store, FixedClock(NOW), scripts_dir())


async def test_the_second_to_save_a_draft_is_told_and_overwrites_nothing(library: ScriptsData) -> None:
    seen = await library.version("survey")
    saved = await library.save(seen, SOURCE + "# lin\n", "lin")
    with pytest.raises(DraftTaken) as taken:
        await library.save(seen, SOURCE + "# zhou\n", "zhou")
    assert taken.value.theirs.source == SOURCE + "# lin\n"
    both = await library.save(saved, SOURCE + "# lin\n# zhou\n", "zhou")
    assert (both.number, both.state) == (1, VersionState.DRAFT)
    for writer in ("lin", "zhou"):
        with pytest.raises(VersionRefused):
            await library.review("survey", 1, writer)


async def test_a_version_that_fails_its_tests_is_not_approved(library: ScriptsData) -> None:
    await library.keep_play("survey", "silence", [{"begin": {}}, {"silence": True}], [{"node": "elsewhere"}] * 2, "lin")
    with pytest.raises(VersionRefused, match="silence"):
        await library.review("survey", 1, "shen")
    (kept,) = await library.plays("survey")
    await library.drop_play(kept.id)
    assert (await library.review("survey", 1, "shen")).state is VersionState.REVIEWED


async def test_a_new_script_extends_or_copies_another(library: ScriptsData) -> None:
    child = await library.begin("soft_survey", '温和"回访', "survey", extend=True, by="lin")
    reading = await library.read("soft_survey", child.source)
    assert reading.script is not None and reading.script.title == '温和"回访'
    copy = await library.begin("survey_2", "回访二", "survey", extend=False, by="lin")
    assert copy.source.count("script: survey_2") == 1 and len(copy.source) > len(child.source)
    for name in ("survey", "Nein", "../x", ""):
        with pytest.raises(VersionRefused):
            await library.begin(name, "", "survey", extend=True, by="lin")
    with pytest.raises(VersionUnknown):
        await library.begin("other", "", "nobody", extend=True, by="lin")


async def test_what_is_opened_is_the_draft_then_what_is_on_the_air(library: ScriptsData) -> None:
    await library.review("survey", 1, "shen")
    await library.publish("survey", 1, "shen")
    await library.save(await library.version("survey"), SOURCE + "# more\n", "lin")
    assert (await library.version("survey")).number == 2
    await library.discard("survey", 2)
    assert (await library.version("survey")).state is VersionState.PUBLISHED
    with pytest.raises(VersionUnknown):
        await library.version("nobody")


async def test_real_calls_are_played_through_a_version_before_it_is_published(
    store: Store, tmp_path: Path
) -> None:
    await morning(store, tmp_path / "recordings", NOW)
    source = (scripts_dir() / "reminder.yaml").read_text(encoding="utf-8")
    await store.script_versions.save_draft("reminder", source.replace("本次通话会录音", "我们的通话会录音"), "lin", NOW)
    library = ScriptsData(store, FixedClock(NOW), scripts_dir(), tmp_path / "recordings")
    trial = await library.begin_trial("reminder", 1, "shen")
    assert await library.begin_trial("reminder", 1, "zhou") is trial, "one is enough"
    await asyncio.gather(*library._playing)
    assert trial.done and not trial.failed and trial.report is not None
    assert trial.finished == trial.total > 0
    kept = (await library.trials("reminder"))[trial.sha256]
    report = await library.report(trial.report)
    assert report is not None and report.id == kept.id
    assert kept.summary["calls"] + kept.summary["unplayed"] == trial.total
    assert all(not row["same"] for row in kept.rows)
    page = report_page(Words("zh"), kept)
    assert f"/review/{kept.rows[0]['call_id']}?t=" in page
    assert await library.report(trial.report + 1) is None


async def test_a_script_without_calls_or_that_cannot_be_read_is_not_tried(library: ScriptsData, tmp_path: Path) -> None:
    with pytest.raises(VersionRefused, match="no sealed calls"):
        await library.begin_trial("survey", 1, "shen")
    seen = await library.version("survey")
    await library.save(seen, "script: [", "lin")
    with pytest.raises(VersionRefused, match="cannot be read"):
        await library.begin_trial("survey", 1, "shen")
