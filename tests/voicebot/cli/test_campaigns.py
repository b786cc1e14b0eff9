"""`voicebot campaigns`: what was started is listed with its cases, and stops."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from voicebot.cli.commands import app

CASES = Path(__file__).parents[3] / "docs" / "examples" / "cases.csv"


@pytest.fixture(autouse=True)
def installation(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBOT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VOICEBOT_DATABASE_URL", database_url)


def voicebot(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_a_campaign_is_started_listed_and_stopped() -> None:
    voicebot("cases", "import", str(CASES))
    started = voicebot("campaigns", "start", "首轮", "--lender", "示例消费金融有限公司", "--at-once", "2")
    assert started.exit_code == 0, started.output
    (row,) = map(json.loads, voicebot("campaigns", "list", "--json").output.splitlines())
    assert row["id"] == started.stdout.strip()
    assert (row["name"], row["state"], row["cases"], row["calls"], row["done"]) == ("首轮", "running", 6, 0, 0)
    assert voicebot("campaigns", "stop", row["id"]).exit_code == 0
    assert "state=stopped" in voicebot("campaigns", "list").output


def test_what_is_not_there_is_named_with_a_remedy() -> None:
    assert "import cases first" in voicebot("campaigns", "start", "空", "--lender", "nobody").stderr
    assert "no open case" in voicebot("campaigns", "start", "空").stderr
    assert "no call script" in voicebot("campaigns", "start", "空", "--script", "nothing").stderr
    unknown = voicebot("campaigns", "stop", "nothing")
    assert unknown.exit_code == 2 and "campaigns list" in unknown.stderr
