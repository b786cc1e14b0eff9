"""`voicebot cases` and `voicebot payments`: in, out, mapped, mended and paid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from voicebot.cases.tables import read_table
from voicebot.cli.commands import app

FILE = "合同号,姓名,电话,余额,逾期天数\nA-1,周一,13900139101,900,10\nA-2,周二,1390013,500,40\n"


@pytest.fixture(autouse=True)
def installation(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBOT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VOICEBOT_DATABASE_URL", database_url)


def voicebot(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def row(*arguments: str) -> dict[str, Any]:
    (line,) = voicebot(*arguments, "--json").output.splitlines()
    return dict(json.loads(line))


def test_a_mapping_is_remembered_and_rejects_are_a_file_to_mend(tmp_path: Path) -> None:
    file, rejects = tmp_path / "cases.csv", tmp_path / "rejects.csv"
    file.write_bytes(FILE.encode("gb18030"))
    assert len(row("cases", "import", str(file))["rejected"]) == 2, "nobody said yet what 余额 is"
    taken = row("cases", "import", str(file), "--map", "余额=欠款金额", "--rejects", str(rejects))
    assert (taken["imported"], [bad["row"] for bad in taken["rejected"]]) == (1, [3])
    rejects.write_text(rejects.read_text("utf-8-sig").replace("1390013", "13900139102"), "utf-8-sig")
    mended = row("cases", "import", str(rejects))
    assert (mended["imported"], mended["ignored_columns"]) == (1, ["拒绝原因"]), "the mapping is remembered"
    assert row("cases", "import", str(file))["duplicates"] == 1
    wrong = voicebot("cases", "import", str(file), "--map", "余额=什么")
    assert wrong.exit_code == 2 and "什么" in wrong.output


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_an_export_can_be_imported(tmp_path: Path, ending: str) -> None:
    file, out = tmp_path / "cases.csv", tmp_path / f"out.{ending}"
    rows = "A-1,周一,13900139101,900,10\nA-2,周二,13900139102,5,40\n"
    file.write_text(f"借据号,姓名,手机号,欠款金额,逾期天数\n{rows}", "utf-8")
    voicebot("cases", "import", str(file), "--creditor", "示例金融")
    assert voicebot("cases", "export", str(out), "--creditor", "示例金融", "--min-days", "20").exit_code == 0
    table = read_table(out)
    assert [line.cells[0] for line in table.rows] == ["A-2"]
    assert row("cases", "import", str(out))["duplicates"] == 1
    assert voicebot("cases", "export", str(out), "--creditor", "无").exit_code == 2


def test_payments_close_cases_once(tmp_path: Path) -> None:
    cases, paid = tmp_path / "cases.csv", tmp_path / "paid.csv"
    cases.write_text("借据号,姓名,手机号,欠款金额,逾期天数\nA-1,周一,13900139101,900,10\n", "utf-8")
    paid.write_text("借据号,还款金额,还款日期,流水号\nA-1,900,2026-11-20,T1\nA-9,1,2026-11-20,T2\n", "utf-8")
    voicebot("cases", "import", str(cases))
    first = row("payments", "import", str(paid))
    assert (first["booked"], first["closed"], len(first["rejected"])) == (1, 1, 1)
    told = voicebot("payments", "import", str(paid)).output
    assert "入账 0 · 重复 1" in told and "A-9" in told
