"""`voicebot replay`: bundles without a database, a script's calls with one, and the report that is kept."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.voicebot.reports.morning import MORNING, morning
from voicebot.cli.commands import app
from voicebot.config import scripts_dir
from voicebot.domain.clock import SHANGHAI
from voicebot.store import Store
from voicebot.store.replays import ReplayRun

NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
SCRIPT = str(scripts_dir() / "reminder.yaml")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def voicebot(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()]


def test_all_calls_of_a_script_become_one_report(
    database_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICEBOT_HOME", str(home))
    monkeypatch.setenv("VOICEBOT_DATABASE_URL", database_url)

    async def fill() -> None:
        async with Store.from_url(database_url) as store:
            await morning(store, home / "recordings", NOW)

    async def kept() -> ReplayRun:
        async with Store.from_url(database_url) as store:
            (run,) = await store.replays.latest("reminder")
            return run

    asyncio.run(fill())
    code, rows = voicebot("replay", "--of", "reminder", "--script", SCRIPT, "--keep")
    *calls, last = rows
    played = [row for row in calls if "call_id" in row]
    assert code == (0 if len(played) == len(calls) else 1)
    told = last["summary"]
    assert told["calls"] == len(played) and 0 < len(played) <= MORNING
    assert told["calls"] == told["same"] + told["other_words"] + told["other_way"]
    assert sum(one["calls"] for one in told["divergences"]) == told["other_way"]
    assert asyncio.run(kept()).summary == told
    bundles = sorted(str(path) for path in (home / "recordings").rglob("*.zip"))
    first, again = (voicebot("replay", *bundles[:3], "--script", SCRIPT) for _ in range(2))
    assert first == again, "the same inputs give another report"
    sums = {row["call_id"]: row["journal_sha256"] for row in first[1] if "call_id" in row}
    assert sums and all(len(sha256) == 64 for sha256 in sums.values())


def test_a_journal_is_written_to_the_byte(tmp_path: Path, home: Path, database_url: str) -> None:
    async def fill() -> None:
        async with Store.from_url(database_url) as store:
            await morning(store, home / "recordings", NOW, 2)

    asyncio.run(fill())
    bundle, out = next((home / "recordings").rglob("*.zip")), tmp_path / "journal.jsonl"
    written = []
    for _ in range(2):
        code, _ = voicebot("replay", str(bundle), "--script", SCRIPT, "--journal", str(out))
        assert code == 0
        written.append(out.read_bytes())
    assert written[0] == written[1] and json.loads(written[0].splitlines()[0])["seq"] == 0


@pytest.mark.parametrize("arguments", [(), ("x.zip",), ("x.zip", "--script", "nowhere.yaml")])
def test_what_is_missing_is_said(arguments: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, ["replay", *arguments])
    assert done.exit_code == 2
