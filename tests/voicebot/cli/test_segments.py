"""`voicebot segments` on an installation with imported cases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from voicebot.cli.commands import app


@pytest.fixture(autouse=True)
def installation(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBOT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VOICEBOT_DATABASE_URL", database_url)
    own = tmp_path / "home" / "segments"
    own.mkdir(parents=True)
    (own / "mine.yaml").write_text("title: 我的\namount_yuan: [5000, null]\n", "utf-8")
    file = tmp_path / "cases.csv"
    file.write_text(
        "借据号,姓名,手机号,欠款金额,逾期天数\nA-1,周一,13900139101,900,10\nA-2,周二,13900139102,5000,40\nA-3,周三,13900139103,9000,70\n",
        "utf-8",
    )
    assert voicebot("cases", "import", str(file)).exit_code == 0


def voicebot(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def rows(*arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in voicebot(*arguments, "--json").output.splitlines()]


def test_segments_are_listed_counted_and_shown() -> None:
    listed = {row["id"]: row for row in rows("segments", "list")}
    assert listed["mine"]["cases"] == 2 and listed["mine"]["amount_fen"] == 1_400_000
    assert listed["month-two"]["cases"] == 1
    assert rows("segments", "count", "mine") == [{"id": "mine", "cases": 2, "amount_fen": 1_400_000}]
    assert voicebot("segments", "show", "mine", "--ids").output.split() == ["A-2", "A-3"]
    assert "M2 1" in voicebot("segments", "show", "mine").output


def test_scores_and_the_backtest_are_told() -> None:
    assert rows("segments", "score") == [{"scored": 3}]
    (told,) = rows("segments", "score", "A-3")
    assert told["tier"] == "medium" and {"fact": "overdue_days", "words": "逾期 70 天", "points": 14} in told["reasons"]  # type: ignore[operator]
    assert "逾期 70 天" in voicebot("segments", "score", "A-3").output
    assert "AUC —" in voicebot("segments", "backtest").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("segments", "count", "nobody"), "there is no segment nobody"),
        (("segments", "score", "nobody"), "there is no case nobody"),
        (("segments", "backtest", "--model", "nowhere:model"), "nowhere"),
    ],
)
def test_what_is_not_there_is_said(arguments: tuple[str, ...], said: str) -> None:
    answer = voicebot(*arguments)
    assert answer.exit_code == 2 and said in answer.output
