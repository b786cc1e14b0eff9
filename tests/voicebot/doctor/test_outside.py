"""What the doctor says of the database, its clock and the trunks, and how the command ends."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.voicebot.telephony.carriers import answer, carriers
from voicebot.cli.commands import app
from voicebot.config import Settings
from voicebot.doctor import outside
from voicebot.doctor.examination import examine
from voicebot.doctor.finding import Health
from voicebot.evidence.depot.objects import StoreTrouble
from voicebot.store.condition import Condition

CONDITION = Condition("16.2", 160002, False, 0.0, 0.001, 5, 100)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("VOICEBOT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VOICEBOT_CONFIG", "")
    monkeypatch.setenv("VOICEBOT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VOICEBOT_HTTP_LISTEN", "127.0.0.1:0")
    monkeypatch.setenv("VOICEBOT_SIP_LISTEN", "127.0.0.1:0")


@pytest.mark.parametrize(
    ("changed", "check", "health"),
    [
        ({}, "database", Health.OK),
        ({"number": 130011, "version": "13.11"}, "database", Health.FAIL),
        ({"is_replica": True}, "database", Health.FAIL),
        ({"connections": 95}, "database", Health.WARN),
        ({"ahead_s": -1.0}, "clock", Health.OK),
        ({"ahead_s": 5.0}, "clock", Health.WARN),
        ({"ahead_s": 5.0, "unsure_s": 4.0}, "clock", Health.OK),
        ({"ahead_s": -3600.0}, "clock", Health.FAIL),
    ],
)
def test_conditions_of_the_database(changed: dict[str, object], check: str, health: Health) -> None:
    condition = replace(CONDITION, **changed)  # type: ignore[arg-type]
    found = {one.check: one for one in outside._conditions(condition, embedded=False)}
    assert found[check].health is health and bool(found[check].remedy) == (health is not Health.OK)


def test_a_database_that_is_away() -> None:
    found = list(outside.database(Settings(database_url="postgresql://127.0.0.1:9/none")))
    assert [one.health for one in found] == [Health.FAIL] and "VOICEBOT_DATABASE_URL" in found[0].remedy


def test_a_database_that_is_not_there_yet_is_tried_and_nothing_of_it_is_left(tmp_path: Path) -> None:
    """Root may ask before the server, which runs as somebody else, has ever been started."""
    found = {one.check: one for one in outside.database(Settings(home=tmp_path / "home"))}
    assert (found["database"].health, found["tables"].health) == (Health.OK, Health.OK), found
    assert "the first start makes the tables" in found["tables"].said
    assert not (tmp_path / "home").exists()


class Objects:
    def __init__(self, trouble: str) -> None:
        self._trouble = trouble

    def check(self) -> None:
        if self._trouble:
            raise StoreTrouble(self._trouble)


@pytest.mark.parametrize(
    ("place", "trouble", "said"),
    [
        (None, "", []),
        ("s3://lender/calls", "", [(Health.OK, "s3://lender/calls takes sealed calls, object lock governance")]),
        ("s3://lender/calls", "the store refuses: 403", [(Health.FAIL, "the store refuses: 403")]),
    ],
)
def test_the_object_store_is_asked_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, place: str | None, trouble: str, said: list[tuple[Health, str]]
) -> None:
    monkeypatch.setattr(outside, "open_objects", lambda settings: Objects(trouble))
    found = list(outside.object_store(Settings(object_store=place)))
    assert [(one.health, one.said) for one in found] == said
    assert all(bool(one.remedy) == (one.health is Health.FAIL) for one in found)


async def test_trunks_are_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicebot.telephony.trunk_care.ANSWERED_WITHIN_S", 0.2)
    async with carriers(answer) as (carrier,):
        good = f"127.0.0.1:{carrier.line.address[1]}"
        file = tmp_path / "trunks.toml"
        hosts = {"good": good, "dead": "127.0.0.1:9"}
        file.write_text("".join(f'[[trunks]]\nname = "{name}"\nhost = "{host}"\n' for name, host in hosts.items()))
        found = [one async for one in outside.trunks(Settings(trunks=file))]
    assert [one.health for one in found] == [Health.OK, Health.FAIL]
    assert "good" in found[0].said and "dead" in found[1].said
    file.write_text("[[trunks]]\nname = 3\n")
    (broken,) = [one async for one in outside.trunks(Settings(trunks=file))]
    assert broken.health is Health.FAIL and "trunks check" in broken.remedy
    (none,) = [one async for one in outside.trunks(Settings())]
    assert none.health is Health.WARN


def test_the_command_says_each_check_and_ends_with_the_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBOT_DATABASE_URL", "postgresql://127.0.0.1:9/none")
    sick = CliRunner().invoke(app, ["doctor", "--json", "--no-call"])
    told = json.loads(sick.stdout)
    assert sick.exit_code == 1 and told["health"] == "fail"
    checks = {row["check"] for row in told["findings"]}
    assert {"port http", "port sip 0", "ports media", "disk", "database", "models", "scripts", "calendar"} <= checks
    assert all(bool(row["remedy"]) == (row["health"] != "ok") for row in told["findings"])
    page = (Path(__file__).parents[3] / "docs" / "reference" / "doctor.md").read_text("utf-8")
    for check in checks:
        name = check.removeprefix("folder ").rstrip(" 0123456789")
        assert f"`{name}" in page or f"`{check}" in page, check
    assert CliRunner().invoke(app, ["doctor", "--config", "/nowhere.toml"]).exit_code == 2


async def test_a_check_that_breaks_keeps_no_other_from_being_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(settings: Settings) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr("voicebot.doctor.machine.disk", broken)
    monkeypatch.setenv("VOICEBOT_DATABASE_URL", "postgresql://127.0.0.1:9/none")
    found = [one async for one in examine(Settings(), with_call=False)]
    (disk,) = [one for one in found if one.check == "disk"]
    assert disk.health is Health.FAIL and "unforeseen" in disk.said
    assert any(one.check == "models" for one in found)
