"""`voicebot people`: second factors that were lost, locks, sessions, and the table of who may what."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pyotp
import pytest
from typer.testing import CliRunner, Result

from voicebot.cli.commands import app
from voicebot.domain.login import Way
from voicebot.domain.records import Role
from voicebot.store import Store

T = TypeVar("T")
NOW = dt.datetime.now(dt.UTC)


@pytest.fixture(autouse=True)
def installation(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBOT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VOICEBOT_DATABASE_URL", database_url)


def voicebot(*arguments: str) -> Result:
    return CliRunner().invoke(app, ("people", *arguments))


def in_store(url: str, work: Callable[[Store], Awaitable[T]]) -> T:
    async def opened() -> T:
        async with Store.from_url(url) as store:
            return await work(store)

    return asyncio.run(opened())


async def _wang(store: Store) -> None:
    await store.users.create("wang", Role.ADMIN, NOW)
    secret = await store.second_factors.begin("wang", NOW)
    assert await store.second_factors.confirm("wang", pyotp.TOTP(secret).at(NOW), NOW)
    await store.sessions.open("wang", Way.FACTOR, NOW, dt.timedelta(hours=1), address="10.0.0.7", browser="Firefox")
    await store.tokens.issue("wang", "crm", NOW, scopes={"calls"})
    for _ in range(5):
        await store.lockouts.attempt("password", "wang", dt.datetime.now(dt.UTC))


def test_what_was_lost_is_mended_at_the_machine(database_url: str) -> None:
    in_store(database_url, _wang)
    (row,) = [json.loads(line) for line in voicebot("list", "--json").output.splitlines()]
    assert row == {"username": "wang", "role": "admin", "disabled": False, "locked": True, "second_factor": True,
                   "single_sign_on": False}  # fmt: skip
    assert "10.0.0.7" in voicebot("sessions", "wang").output and "crm" in voicebot("sessions", "wang").output
    assert voicebot("unlock", "wang").exit_code == 0
    assert voicebot("forget-factor", "wang").exit_code == 0
    assert "10.0.0.7" not in voicebot("sessions", "wang", "--end").output
    assert voicebot("link", "wang", "--identity", "https://id.example|17").exit_code == 0
    (row,) = [json.loads(line) for line in voicebot("list", "--json").output.splitlines()]
    assert not row["locked"] and not row["second_factor"] and row["single_sign_on"]
    done = in_store(database_url, lambda store: store.operations.latest())
    assert [one.detail["change"] for one in done] == ["identity", "log-out", "forget-factor", "unlock"]


def test_roles_can_be_made_to_have_one(database_url: str) -> None:
    assert voicebot("demand", "agent").exit_code == 0 and voicebot("demand", "admin").exit_code == 0
    assert voicebot("demand", "agent", "--off").exit_code == 0
    assert in_store(database_url, lambda store: store.second_factors.demanded()) == {"admin"}
    assert voicebot("demand", "emperor").exit_code == 2


@pytest.mark.parametrize("command", [("unlock",), ("forget-factor",), ("link",)])
def test_nobody_is_nobody(command: tuple[str, ...]) -> None:
    refused = voicebot(*command, "nobody")
    assert refused.exit_code == 2 and "voicebot people list" in refused.output


def test_the_table_is_printed_as_it_is_in_the_documents() -> None:
    written = Path(__file__).resolve().parents[3] / "docs" / "reference" / "access.md"
    assert voicebot("access").output == written.read_text(encoding="utf-8")
