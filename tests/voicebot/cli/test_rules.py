"""`voicebot rules`: an export verifies and its damage shows, numbers and consents are registered, packs are checked."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.voicebot.store.samples import NOON, allow, new_case, plan
from voicebot.cli.commands import app
from voicebot.compliance.handbook import handbook
from voicebot.compliance.packs import shipped_packs
from voicebot.store import Store


@pytest.fixture(autouse=True)
def installation(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBOT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VOICEBOT_DATABASE_URL", database_url)


def voicebot(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["rules", *arguments])


@pytest.fixture
def answered(database_url: str) -> None:
    async def answer() -> None:
        async with Store.from_url(database_url) as store:
            await plan(store, *(new_case(n) for n in range(1, 4)))
            await store.attempts.lease("w", 3, NOON, allow)

    asyncio.run(answer())


def test_an_export_verifies_and_its_damage_shows(answered: None, tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    assert voicebot("ledger", "--export", str(file)).exit_code == 0
    whole = json.loads(voicebot("verify", str(file), "--json").output)
    assert (whole["valid"], whole["length"]) == (True, 3)
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(lines[:2]))
    assert voicebot("verify", str(file)).exit_code == 0, "only the hash kept elsewhere tells it"
    assert voicebot("verify", str(file), "--head", whole["head"]).exit_code == 1
    file.write_text("\n".join(lines[1:]))
    assert voicebot("verify", str(file)).exit_code == 1
    file.write_text("no json")
    assert voicebot("verify", str(file)).exit_code == 2


def test_the_ledger_is_searched(answered: None) -> None:
    found = voicebot("ledger", "--case", "C0002", "--json").output.splitlines()
    assert [json.loads(row)["case_id"] for row in found] == ["C0002"]
    assert voicebot("ledger", "--refused").output == ""
    assert voicebot("ledger", "--since", "soon").exit_code == 2


def test_numbers_are_registered(answered: None) -> None:
    added = voicebot("caller-ids", "add", "01012345678", "--holder", "示范公司", "--from", "2026-01-01")
    assert added.exit_code == 0, added.output
    (row,) = [json.loads(line) for line in voicebot("caller-ids", "list", "--json").output.splitlines()]
    assert row == {"number": "01012345678", "holder": "示范公司", "valid_from": "2026-01-01"}
    assert voicebot("caller-ids", "remove", "01012345678").exit_code == 0
    assert voicebot("caller-ids", "remove", "01012345678").exit_code == 2


def test_consents_are_imported_row_by_row(answered: None, tmp_path: Path) -> None:
    file = tmp_path / "consents.csv"
    rows = "debtor_id,kind,from,to\nD0001,other_hours,07:00,08:00\nD0001,other_hours,7,8\n"
    file.write_text(rows, encoding="gb18030")
    taken = voicebot("consents", "import", str(file), "--json")
    assert taken.exit_code == 1
    said = json.loads(taken.output)
    assert said["taken"] == 1 and [(row["row"], row["column"]) for row in said["rejected"]] == [(3, "from")]


def test_packs_are_checked_before_they_are_put_in_force(tmp_path: Path) -> None:
    good = voicebot("check", str(tmp_path))
    assert good.exit_code == 0 and json.loads(good.stdout.splitlines()[0])["pack"] == "CN"
    (tmp_path / "mine.yaml").write_text("pack: [")
    assert voicebot("check", str(tmp_path)).exit_code == 1


def test_the_table_is_printed() -> None:
    assert voicebot("table").output == handbook(shipped_packs())
