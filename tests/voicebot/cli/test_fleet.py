"""The fleet on the command line: who is there, drain and resume; and what is said where it can't be joined."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from voicebot.cli.commands import app
from voicebot.domain.fleet import Beat, Joining
from voicebot.store import Store
from voicebot.telemetry import logs


@pytest.fixture(autouse=True)
def installation(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBOT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VOICEBOT_DATABASE_URL", database_url)
    monkeypatch.setattr(logs, "setup_logs", lambda: None)  # the runner's standard error is closed when it ends


def voicebot(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def rows() -> list[dict[str, object]]:
    return [json.loads(line) for line in voicebot("workers", "list", "--json").output.splitlines()]


async def join(database_url: str, calls: int) -> None:
    async with Store.from_url(database_url) as store:
        epoch = await store.workers.join(Joining("berg-0", "berg", "h", "l", "1.2", "0024", "10.0.0.1:5060"))
        await store.workers.beat("berg-0", epoch, Beat(calls, 40, True, 1500))
        await store.workers.beat_control("c1", "1.2", "0024", http="10.0.0.1:8080", leads=True, skew_ms=0)
        await store.workers.beat_control("c2", "1.2", "0024", http="10.0.0.2:8080", leads=False, skew_ms=0)


def test_who_is_there_and_who_dials(database_url: str) -> None:
    asyncio.run(join(database_url, 3))
    worker, *controls = rows()
    shown = {"worker": "berg-0", "state": "up", "calls": 3, "version": "1.2", "sip": "10.0.0.1:5060"}
    assert shown.items() <= worker.items() and worker["clock_ahead_ms"] == 1500
    assert [(one["control"], one["role"]) for one in controls] == [("c1", "leads"), ("c2", "stands by")]
    told = voicebot("workers", "list").output
    assert "berg-0  up  3/40  1.2" in told and "c2  stands by" in told


def test_a_drain_waits_for_calls_and_is_taken_back(database_url: str) -> None:
    asyncio.run(join(database_url, 1))
    waited = voicebot("worker", "drain", "berg", "--wait", "0.5")
    assert waited.exit_code == 1 and "berg-0" in waited.output
    assert (rows()[0]["state"], rows()[0]["drained"]) == ("draining", False)
    assert voicebot("workers", "resume", "berg-0").exit_code == 0
    assert rows()[0]["state"] == "up"
    asyncio.run(join(database_url, 0))
    assert voicebot("workers", "drain", "berg-0", "--wait", "30").exit_code == 0


def test_a_worker_that_nobody_knows(database_url: str) -> None:
    refused = voicebot("worker", "drain", "nobody")
    assert refused.exit_code == 2 and "voicebot workers list" in refused.output


@pytest.mark.parametrize("command", ["worker", "control"])
def test_without_a_database_there_is_no_fleet(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOICEBOT_DATABASE_URL")
    refused = voicebot(command)
    assert refused.exit_code == 2 and "--database" in refused.output


def test_a_name_that_cannot_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = voicebot("worker", "--name", "zwei worte")
    assert refused.exit_code == 2 and "--name" in refused.output
