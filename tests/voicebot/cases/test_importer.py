"""Import: every row ends up imported, updated, duplicate or rejected with a reason; files come as they come."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import io
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from voicebot.cases.importer import ImportReport, import_cases
from voicebot.cases.tables import TableError, parse_table, read_table
from voicebot.domain.case import Creditor
from voicebot.domain.clock import SHANGHAI, FixedClock
from voicebot.store import Store

CLOCK = FixedClock(dt.datetime(2026, 11, 24, 10, tzinfo=SHANGHAI))
HEADER = "借据号,姓名,手机号,身份证后四位,出生月日,欠款金额,逾期天数,产品,债权人"
ROW = "J{n},张三{s},1380013{n:04d},2315,0812,{amount},12,消费贷,示例消费金融有限公司"
EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "cases.csv"


def row(n: int, amount: str = "3500.50") -> str:
    return ROW.format(n=n, s="甲乙丙丁戊己庚辛壬癸"[n % 10], amount=amount)


async def load(store: Store, tmp_path: Path, *lines: str, encoding: str = "utf-8") -> ImportReport:
    path = tmp_path / "cases.csv"
    path.write_bytes("\r\n".join((HEADER, *lines)).encode(encoding))
    return await import_cases(path, store, clock=CLOCK)


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.imported, report.updated, report.duplicates, len(report.rejected)


async def test_the_shipped_example_has_two_bad_rows(store: Store) -> None:
    report = await import_cases(EXAMPLE, store, clock=CLOCK)
    assert counts(report) == (6, 0, 0, 2)
    assert [(r.row, r.column, r.value) for r in report.rejected] == [
        (5, "手机号", "138001380"),
        (7, "欠款金额", "九百元"),
    ]
    assert report.to_json()["rejected"][0]["reason"] == "手机号应为11位，现有9位。请核对。"  # type: ignore[index]
    case = await store.cases.find("DEMO-0005")
    assert case is not None
    assert (case.amount_fen, case.debtor.id_last4, case.creditor.neutral_name) == (
        523050,
        "518X",
        "示例客户服务中心",
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
async def test_encodings(store: Store, tmp_path: Path, encoding: str) -> None:
    report = await load(store, tmp_path, row(1), row(2), encoding=encoding)
    assert counts(report) == (2, 0, 0, 0)
    case = await store.cases.find("J1")
    assert case is not None and case.debtor.name == "张三乙" and case.as_of == dt.date(2026, 11, 24)


async def test_xlsx_numbers_dates_and_lost_zeros(store: Store, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["姓名", "手机号", "身份证后四位", "出生日期", "欠款金额", "应还日", "借据号"])
    sheet.append(["李四", 13800138000, 426, dt.datetime(1990, 2, 3), 3500.5, dt.date(2026, 11, 20), 1001])
    sheet.append([None] * 7)
    sheet.append(["王五", "138", "0426", 203, 0.1 + 0.2, "2026/11/30", "1002"])
    path = tmp_path / "cases.dat"
    book.save(path)
    report = await import_cases(path, store, clock=CLOCK)
    assert counts(report) == (1, 0, 0, 1)
    assert [(r.row, r.column) for r in report.rejected] == [(4, "手机号")]
    case = await store.cases.find("1001")
    assert case is not None
    assert (case.debtor.id_last4, case.debtor.birth_mmdd, case.amount_fen) == ("0426", "0203", 350050)
    assert case.overdue_days == 4
    assert "债权人" in report.warnings[0] and case.creditor.name == "客户服务中心"


async def test_duplicates_conflicts_updates(store: Store, tmp_path: Path) -> None:
    first = await load(store, tmp_path, row(1), row(2), row(1), row(2, "99"))
    assert counts(first) == (2, 0, 1, 1)
    assert [(d.row, d.case_id, d.of) for d in first.duplicate_rows] == [(4, "J1", 2)]
    assert first.rejected[0].row == 5 and "第3行" in first.rejected[0].reason
    second = await load(store, tmp_path, row(1), row(2, "99"), row(3))
    assert counts(second) == (1, 1, 1, 0)
    assert [(d.row, d.of) for d in second.duplicate_rows] == [(2, None)]
    assert (await store.cases.find("J2")).amount_fen == 9900  # type: ignore[union-attr]


async def test_without_a_case_id_the_same_bill_is_recognised(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("姓名;手机号;金额;逾期\n张三;13800138000;100;3\n张三;13800138000;200;3\n李四;13800138000;5;3")
    report = await import_cases(path, store, clock=CLOCK)
    assert counts(report) == (2, 0, 0, 1)
    assert "借据号" in report.rejected[0].reason
    assert len(report.warnings) == 2 and "第2、4行" in report.warnings[1]
    again = await import_cases(path, store, clock=CLOCK)
    assert counts(again) == (0, 0, 2, 1)


async def test_one_customer_cannot_have_two_identities(store: Store, tmp_path: Path) -> None:
    other = row(1).replace("J1", "J9").replace("2315", "9999")
    report = await load(store, tmp_path, row(1), other)
    assert counts(report) == (1, 0, 0, 1)
    assert "核身信息却不同" in report.rejected[0].reason


async def test_a_row_tells_all_that_is_wrong_with_it(store: Store, tmp_path: Path) -> None:
    report = await load(store, tmp_path, "J1,,1380013,12,1332,x,y,,", row(2))
    (rejection,) = report.rejected
    assert report.imported == 1
    problems = [rejection.column, *(more.column for more in rejection.more)]
    assert sorted(problems) == sorted(["姓名", "手机号", "身份证后四位", "出生月日", "欠款金额", "逾期天数"])


async def test_missing_columns_reject_every_row(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("姓名,电话\n张三,13800138000\n李四,13800138001\n")
    report = await import_cases(path, store, clock=CLOCK)
    assert [(r.row, r.column) for r in report.rejected] == [(2, "欠款金额、逾期天数"), (3, "欠款金额、逾期天数")]


async def test_a_lender_whose_name_tells_too_much_is_not_named_first(store: Store, tmp_path: Path) -> None:
    telling = row(1).replace("示例消费金融有限公司", "示例小额贷款有限公司")
    report = await load(store, tmp_path, telling)
    case = await store.cases.find("J1")
    assert case is not None and case.creditor.neutral_name == "客户服务中心"
    assert any("示例小额贷款有限公司" in warning for warning in report.warnings)
    known = Creditor("k", "示例小额贷款有限公司", "示例客服", "400")
    await store.cases.save_creditor(known)
    path = tmp_path / "y.csv"
    path.write_text(HEADER + "\n" + row(2).replace("示例消费金融有限公司", known.name))
    creditors = {creditor.id: creditor for creditor in await store.cases.creditors()}
    assert creditors["k"] == known


async def test_parts_must_make_up_the_whole(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("姓名,手机号,欠款金额,本金,息费,逾期天数\n张三,13800138000,100,90,11,3\n")
    report = await import_cases(path, store, clock=CLOCK)
    assert "本金加息费" in report.rejected[0].reason


async def test_progress_counts_to_the_end(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("\n".join((HEADER, *(row(n) for n in range(1200)))))
    seen: list[tuple[int, int]] = []
    report = await import_cases(path, store, clock=CLOCK, progress=lambda done, of: seen.append((done, of)))
    assert report.imported == 1200
    assert seen == [(500, 1200), (1000, 1200), (1200, 1200)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "没有内容"),
        (b"\n\n  ,,\n", "没有内容"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
        (b"PK\x03\x04 not a zip", "已损坏"),
        (b"\xff\xff\xff\x81", "编码"),
    ],
)
def test_unreadable_files_name_the_remedy(data: bytes, message: str) -> None:
    with pytest.raises(TableError, match=message):
        parse_table(data)


def test_a_missing_file_is_a_table_error(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="读不到文件"):
        read_table(tmp_path / "none.csv")


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=80).map(lambda b: b"PK\x03\x04" + b)))
def test_any_bytes_are_a_table_or_a_table_error(data: bytes) -> None:
    try:
        table = parse_table(data)
    except TableError:
        return
    assert any(table.header.cells)


def test_a_workbook_cut_short_is_a_table_error() -> None:
    book, out = Workbook(), io.BytesIO()
    book.active.append(["姓名"])  # type: ignore[union-attr]
    book.save(out)
    data = out.getvalue()
    for length in range(10, len(data), 97):
        with pytest.raises(TableError):
            parse_table(data[:length])


CELLS = st.one_of(
    st.sampled_from(["张三", "13800138000", "2315", "0812", "100", "3", "是", "", "sip:a@b", "J1", "=1+1", '"', "\0"]),
    st.text(max_size=12),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(CELLS, min_size=9, max_size=10), max_size=8))
def test_no_row_is_ever_lost(database_url: str, lines: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([HEADER.split(","), *lines])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / os.urandom(4).hex()
        path.write_bytes(text.getvalue().encode("utf-8", "replace"))
        expected = len(read_table(path).rows)

        async def check() -> None:
            async with Store.from_url(database_url, pool_size=1) as store:
                report = await import_cases(path, store, clock=CLOCK)
            assert sum(counts(report)) == expected

        asyncio.run(check())
