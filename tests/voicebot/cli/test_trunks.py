"""`voicebot trunks check|probe`: mistakes end with 2, trunks that do not work with 1."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.voicebot.telephony.carriers import answer, carriers, registrar
from voicebot.cli.commands import app
from voicebot.telephony.trunk_file import read_trunks
from voicebot.telephony.trunk_probe import probe_trunks

run = CliRunner().invoke


def trunk_file(folder: Path, *tables: str) -> Path:
    (folder / "x.password").write_text("right")
    (folder / "x.password").chmod(0o644)
    file = folder / "trunks.toml"
    file.write_text("".join(f"[[trunks]]\n{table}\n" for table in tables))
    return file


def test_check_shows_trunks_and_what_looks_odd(tmp_path: Path) -> None:
    file = trunk_file(
        tmp_path, 'name = "a"\nhost = "192.0.2.1"\nsrtp = "offer"', 'name = "b"\nhost = "sip.example.net"'
    )
    answered = run(app, ["trunks", "check", str(file), "--json"])
    assert answered.exit_code == 0
    rows = [json.loads(line) for line in answered.stdout.splitlines() if line.startswith("{")]
    assert [row["name"] for row in rows] == ["a", "b"]
    assert "明文" in answered.stderr and "chmod 600" in answered.stderr and "b: 未设 inbound.peers" in answered.stderr


def test_check_names_mistakes(tmp_path: Path) -> None:
    answered = run(app, ["trunks", "check", str(trunk_file(tmp_path, 'name = "a"\nhost = "192.0.2.1"\nmax_calls = 0'))])
    assert answered.exit_code == 2 and "trunk 'a', max_calls" in answered.stderr
    assert run(app, ["trunks", "check", str(tmp_path / "nowhere.toml")]).exit_code == 2


def test_probe_ends_with_1_when_a_trunk_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicebot.telephony.trunk_care.ANSWERED_WITHIN_S", 0.1)
    file = trunk_file(tmp_path, 'name = "a"\nhost = "127.0.0.1:9"')
    answered = run(app, ["trunks", "probe", str(file), "--from", "127.0.0.1", "--json"])
    assert answered.exit_code == 1 and json.loads(answered.stdout)["options"] == 408


async def test_probe_asks_and_registers(tmp_path: Path) -> None:
    async with registrar() as registers, carriers(answer) as (carrier,):
        port = carrier.line.address[1]
        account = (
            f'user = "bot"\npassword_file = "x.password"\nregister = true\nregistrar = "127.0.0.1:{registers.port}"'
        )
        file = trunk_file(
            tmp_path, f'name = "a"\nhost = "127.0.0.1:{port}"\n{account}', f'name = "b"\nhost = "127.0.0.1:{port}"'
        )
        rows = await asyncio.wait_for(probe_trunks(await asyncio.to_thread(read_trunks, file), "127.0.0.1"), 10)
    assert [(row.options, row.register, row.works) for row in rows] == [(200, 200, True), (200, None, True)]
    assert "0" in registers.contacts[-1] or len(registers.contacts) == 2, "and taken back"
