"""What was rejected comes back as a file: mended and imported again, nothing is lost and nothing twice."""

from __future__ import annotations

from pathlib import Path

from voicebot.cases.importer import import_cases
from voicebot.cases.mending import REASON, write_rejects
from voicebot.cases.tables import read_table
from voicebot.store import Store

FILE = """客户姓名,手机号,产品,欠款金额,逾期天数,身份证后四位
张伟,13800000001,消费分期,3500,12,2315
王芳,12345,消费分期,"1,200",8,0426
李娜,13800000003,消费分期,很多,9,0427
"""


async def test_rejected_rows_can_be_mended_and_imported_again(store: Store, tmp_path: Path) -> None:
    source, rejects = tmp_path / "cases.csv", tmp_path / "rejects.csv"
    source.write_bytes(FILE.encode("gb18030"))
    report = await import_cases(source, store)
    assert (report.imported, len(report.rejected)) == (1, 2)
    assert write_rejects(source, report.rejected, rejects) == 2

    table = read_table(rejects)
    assert table.header.cells[-1] == REASON
    assert [row.cells[0] for row in table.rows] == ["王芳", "李娜"]
    assert table.rows[0].cells[3] == "1,200"
    assert "欠款金额" in table.rows[1].cells[-1]

    mended = rejects.read_text("utf-8-sig").replace("12345", "13800000002", 1).replace("很多", "900")
    rejects.write_text(mended, "utf-8-sig")
    again = await import_cases(rejects, store)
    assert (again.imported, again.rejected) == (2, [])
    assert REASON in again.ignored_columns
