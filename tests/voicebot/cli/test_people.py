"""Agents and users are made on the command line; an import says what it noticed."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from voicebot.cli.commands import app
from voicebot.domain.clock import SystemClock
from voicebot.domain.records import AgentRecord, User
from voicebot.store import Store


@pytest.fixture(autouse=True)
def installation(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBOT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VOICEBOT_DATABASE_URL", database_url)


def voicebot(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=typed)


def test_an_agent_is_added_and_made_ready(database_url: str) -> None:
    added = voicebot("agents", "add", "a1", "王芳", "sip:1001@10.0.0.5", "--skill", "care", "--skill", "general")
    assert added.exit_code == 0, added.output
    (row,) = [json.loads(line) for line in voicebot("agents", "list", "--json").output.splitlines()]
    assert row == {
        "id": "a1",
        "name": "王芳",
        "sip_uri": "sip:1001@10.0.0.5",
        "skills": ["care", "general"],
        "presence": "offline",
    }
    assert voicebot("agents", "presence", "a1", "ready").exit_code == 0

    async def claim() -> AgentRecord | None:
        async with Store.from_url(database_url) as store:
            return await store.agents.claim(["a1"], SystemClock().now(), call_id="c1")

    claimed = asyncio.run(claim())
    assert claimed is not None and claimed.id == "a1"
    assert "busy" in voicebot("agents", "list").output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("agents", "presence", "nobody", "ready"), "voicebot agents list"),
        (("agents", "presence", "nobody", "busy"), "busy"),
        (("agents", "add", "a1", "王芳", "office"), "含有文字"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], told: str) -> None:
    result = voicebot(*arguments)
    assert result.exit_code == 2 and told in result.output


def test_a_user_logs_in_with_the_password_that_was_typed(database_url: str) -> None:
    assert voicebot("users", "add", "li", "--role", "reviewer", typed="correct-horse\n").exit_code == 0

    async def login() -> User:
        async with Store.from_url(database_url) as store:
            return await store.users.login("li", "correct-horse", SystemClock().now())

    assert asyncio.run(login()).role == "reviewer"


def test_a_user_sits_down_at_an_agents_phone(database_url: str) -> None:
    missing = voicebot("users", "add", "wang", "--role", "agent", "--agent", "a1", typed="correct-horse\n")
    assert missing.exit_code == 2 and "voicebot agents list" in missing.output
    assert voicebot("agents", "add", "a1", "王芳", "sip:1001@10.0.0.5").exit_code == 0
    added = voicebot("users", "add", "wang", "--role", "agent", "--agent", "a1", typed="correct-horse\n")
    assert added.exit_code == 0

    async def find() -> User | None:
        async with Store.from_url(database_url) as store:
            return await store.users.find("wang")

    found = asyncio.run(find())
    assert found is not None and found.agent_id == "a1"


def test_a_short_password_is_refused() -> None:
    result = voicebot("users", "add", "li", "--role", "admin", typed="short\n")
    assert result.exit_code == 2 and "10" in result.output


def test_an_import_shows_what_it_noticed(tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    file.write_text("姓名,手机号,欠款金额,逾期天数,星座\n张三,13800138000,100,3,狮子\n", encoding="utf-8")
    output = voicebot("cases", "import", str(file)).output
    assert "新增 1" in output
    assert "注意：第2行没有身份证后四位" in output
    assert "未使用的列：星座" in output


@pytest.mark.parametrize("command", [("agents", "list"), ("cases", "import", "cases.csv"), ("serve",)])
@pytest.mark.parametrize("url", ["postgresql://bot:hush-hush@127.0.0.1:1/voicebot", "not-a-url"])
def test_a_database_that_is_not_there_is_said_in_one_message(
    command: tuple[str, ...], url: str, tmp_path: Path
) -> None:
    environment = os.environ | {"VOICEBOT_DATABASE_URL": url, "VOICEBOT_HOME": str(tmp_path / "h")}
    voicebot_ = [sys.executable, "-m", "voicebot.cli", *command]
    done = subprocess.run(voicebot_, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stdout == ""
    assert "VOICEBOT_DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr and "hush-hush" not in done.stderr
