"""Case files as they come: workbooks, people known twice, instalments, extra fields, payments before and after."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from openpyxl import Workbook

from voicebot.cases.exporting import csv_bytes, export_lines, headings
from voicebot.cases.importer import ImportReport, Wish, import_cases, read_case_table
from voicebot.cases.mending import mended
from voicebot.cases.parsing import Context
from voicebot.cases.preview import preview
from voicebot.cases.tables import parse_table
from voicebot.domain.attempt import TargetKind
from voicebot.domain.case import Address, Instalment
from voicebot.domain.clock import SHANGHAI, FixedClock
from voicebot.domain.payment import Payment
from voicebot.store import Store
from voicebot.store.cases import CaseFilter

CLOCK = FixedClock(dt.datetime(2026, 11, 24, 10, tzinfo=SHANGHAI))
BASE = "借据号,姓名,手机号,欠款金额,逾期天数"


async def take(store: Store, tmp_path: Path, text: str, wish: Wish | None = None) -> ImportReport:
    path = tmp_path / "file.csv"
    path.write_bytes(text.encode("gb18030"))
    return await import_cases(path, store, clock=CLOCK, wish=wish)


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.imported, report.updated, report.duplicates, len(report.rejected)


async def test_a_workbook_with_title_merged_cells_and_a_second_sheet(store: Store, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["十一月逾期名单"])
    sheet.append(["姓名", "手机号", "欠款金额（万元）", "逾期天数", "合同号", "委托方"])
    sheet.append(["张三", 13800138001, 0.35, 12, 1001, "星河消费金融"])
    sheet.append(["李四", "13800138002", 1.2, "12.0", "1002", None])
    sheet.append(["王五", "13800138003", "=1+", 5, "1003", None])
    sheet.merge_cells("F3:F5")
    book.create_sheet("备份").append(["别的"])
    book.save(tmp_path / "nasty.xlsx")
    report = await import_cases(tmp_path / "nasty.xlsx", store, clock=CLOCK)
    assert counts(report) == (2, 0, 0, 1)
    assert report.rejected[0].row == 5 and report.rejected[0].column == "欠款金额"
    second = await store.cases.find("1002")
    assert second is not None
    assert (second.amount_fen, second.creditor.name) == (1_200_000, "星河消费金融")
    assert any("第2行" in note for note in report.warnings) and any("备份" in note for note in report.warnings)


async def test_one_person_under_two_customer_numbers_is_one_debtor(store: Store, tmp_path: Path) -> None:
    head = BASE + ",客户号,身份证后四位"
    await take(store, tmp_path, f"{head}\nA-1,张三,13800138001,100,3,K-1,0426\n")
    report = await take(
        store,
        tmp_path,
        f"{head}\nB-1,张三,13800138001,200,5,Z-9,0426\nB-2,张三,13800138001,300,6,Z-8,9999\n"
        "B-3,李四,13800138001,400,6,Z-7,\n",
    )
    assert counts(report) == (3, 0, 0, 0)
    found = {id_: await store.cases.find(id_) for id_ in ("A-1", "B-1", "B-2", "B-3")}
    debtors = {id_: case.debtor.id for id_, case in found.items() if case}
    assert debtors == {"A-1": "K-1", "B-1": "K-1", "B-2": "Z-8", "B-3": "Z-7"}, "another identity is another person"
    first = found["A-1"]
    assert first is not None and first.debtor.id_last4 == "0426", "what the second file did not tell stays known"


async def test_a_debtor_with_a_new_number_is_still_the_debtor_of_the_case(store: Store, tmp_path: Path) -> None:
    await take(store, tmp_path, f"{BASE},客户号\nA-1,张三,13800138001,100,3,K-1\nA-2,张三,13800138009,100,3,K-2\n")
    await take(store, tmp_path, f"{BASE}\nA-1,张三,13900139001,100,3\n")
    record = await store.cases.record("A-1")
    assert record is not None and record.case.debtor.id == "K-1"
    assert [number.number for number in record.numbers] == ["+8613900139001", "+8613800138001"]
    await take(store, tmp_path, f"{BASE},客户号\nA-3,张三,13800138001,100,3,K-2\n")
    assert (third := await store.cases.find("A-3")) and third.debtor.id == "K-2", "a number that we know is believed"


async def test_rows_for_instalments_are_one_case(store: Store, tmp_path: Path) -> None:
    text = (
        "借据号,姓名,手机号,欠款金额,期次,应还日\nL1,赵六,13800138010,1000,1,2026-10-25\n"
        "L1,赵六,13800138010,1200.5,2,2026-11-14\nL1,赵六,13800138010,1000,1,2026-10-25\n"
    )
    assert counts(await take(store, tmp_path, text)) == (2, 0, 1, 0)
    record = await store.cases.record("L1")
    assert record is not None
    assert (record.case.amount_fen, record.case.overdue_days) == (220_050, 30)
    assert record.instalments == (
        Instalment(1, dt.date(2026, 10, 25), 100_000),
        Instalment(2, dt.date(2026, 11, 14), 120_050),
    )
    assert counts(await take(store, tmp_path, text)) == (0, 0, 3, 0)


async def test_what_a_file_tells_beyond_the_bill_is_kept(store: Store, tmp_path: Path) -> None:
    text = (
        f"{BASE},邮箱,微信,担保人,担保人电话,紧急联系人电话,关系,发薪日,月收入,职业,期数,身份证号\n"
        "J1,张三,13800138001,100,3,a@b.cn,wx_123456,王五,13900139000,13700137000,同事,每月15号,8000,教师,12,"
        "11010519491231002X\n"
        "J2,李四,13800138002,100,3,bad mail,,,,12,,32,,,,\n"
    )
    report = await take(store, tmp_path, text)
    assert counts(report) == (2, 0, 0, 0)
    record = await store.cases.record("J1")
    assert record is not None
    assert record.traits == {"income_day": 15, "income_fen": 800_000, "occupation": "教师"}
    assert record.loan == {"terms": 12} and record.region == "北京"
    assert record.addresses == (Address("email", "a@b.cn"), Address("wechat", "wx_123456"))
    others = {(n.kind, n.number, n.name, n.relation) for n in record.numbers[1:]}
    assert others == {
        (TargetKind.GUARANTOR, "+8613900139000", "王五", ""),
        (TargetKind.CONTACT, "+8613700137000", "", "同事"),
    }
    assert record.numbers[0].place == "北京市" and record.numbers[0].carrier == "中国移动"
    told = [warning for warning in report.warnings if "没有采用" in warning]
    assert len(told) == 3 and all(warning.startswith("第3行") for warning in told)


async def test_a_payment_stays_deducted_until_the_creditor_knows_of_it(store: Store, tmp_path: Path) -> None:
    text = f"{BASE},本金,息费,截至日期\nJ1,张三,13800138001,{{}},3,{{}},0,{{}}\n"
    await take(store, tmp_path, text.format(100, 100, "2026-11-20"))
    await store.payments.settle(Payment("J1", 3000, dt.date(2026, 11, 22), "t1"), CLOCK.now())
    assert counts(await take(store, tmp_path, text.format(100, 100, "2026-11-20"))) == (0, 0, 1, 0)
    case = await store.cases.find("J1")
    assert case and (case.amount_fen, case.principal_fen) == (7000, None), "parts of what is left are not known"
    await take(store, tmp_path, text.format(100, 100, "2026-11-24"))
    assert (case := await store.cases.find("J1")) and case.amount_fen == 7000, "the same figure knows of no payment"
    await take(store, tmp_path, text.format(72, 72, "2026-11-24"))
    assert (case := await store.cases.find("J1")) and (case.amount_fen, case.principal_fen) == (7200, 7200)
    await take(store, tmp_path, text.format(110, 110, "2026-11-21"))
    assert (case := await store.cases.find("J1")) and case.amount_fen == 8000, "it came before the payment"


async def test_a_closed_case_in_a_file_stays_closed_and_is_told(store: Store, tmp_path: Path) -> None:
    text = f"{BASE}\nJ1,张三,13800138001,100,3\n"
    await take(store, tmp_path, text)
    await store.payments.settle(Payment("J1", 10_000, dt.date(2026, 11, 22), "t1"), CLOCK.now())
    report = await take(store, tmp_path, text)
    assert any("已结案" in warning for warning in report.all_warnings())
    record = await store.cases.record("J1")
    assert record is not None and (record.status, record.case.amount_fen) == ("closed", 0)


async def test_an_export_is_a_file_that_changes_nothing(store: Store, tmp_path: Path) -> None:
    lines = [f"J{n},=姓名{'甲乙丙丁'[n % 4]},1380013{n:04d},{100 + n}.5,{n % 9}".replace("=", "") for n in range(30)]
    await take(store, tmp_path, "\n".join([BASE, *lines]))
    exported = [headings(), *[line async for line in export_lines(store, CaseFilter())]]
    assert len(exported) == 31
    path = tmp_path / "export.csv"
    path.write_bytes(csv_bytes(exported, True))
    assert counts(await import_cases(path, store, clock=CLOCK)) == (0, 0, 30, 0)


async def test_a_wish_says_whose_cases_and_what_headings_mean(store: Store, tmp_path: Path) -> None:
    wish = Wish({"余额": "欠款金额", "备注": "occupation"}, "示例小额贷款有限公司", "anna", "i-1")
    report = await take(store, tmp_path, "合同号,姓名,电话,余额,DPD,备注\nJ1,张三,13800138001,100,3,司机\n", wish)
    assert counts(report) == (1, 0, 0, 0) and any("泄露欠款" in warning for warning in report.warnings)
    case = await store.cases.find("J1")
    assert case and (case.creditor.name, case.creditor.neutral_name) == ("示例小额贷款有限公司", "客户服务中心")
    (told,) = await store.timeline.of_case("J1")
    assert (told.kind, told.data["by"], told.data["import"]) == ("imported", "anna", "i-1")


def test_a_preview_counts_without_writing() -> None:
    good = "J1,张三,13800138001,100,3,x\n"
    table = read_case_table(f"{BASE},备注\n{good}J2,李四,1,100,3,\n{good}".encode())
    found = preview(table, {}, Context(CLOCK.now().date(), {}))
    assert (found.total, found.good, found.duplicates, found.rejected, found.lacking) == (3, 1, 1, 1, ())
    assert [column.meaning for column in found.columns] == ["借据号", "姓名", "手机号", "欠款金额", "逾期天数", ""]
    assert [row.number for row in found.rows if row.problems] == [3]
    assert preview(table, {"手机号": ""}, Context(CLOCK.now().date(), {})).lacking == ("手机号",)


def test_rejects_are_put_right_cell_by_cell() -> None:
    rejects = parse_table("姓名,手机号,拒绝原因\n张三,1,手机号：不对\n李四,2,手机号：不对\n".encode())
    touched, rest = mended(rejects, {1: {"手机号": "13800138002"}})
    assert parse_table(touched).rows[0].cells[:2] == ("李四", "13800138002")
    assert rest is not None and [row.cells[0] for row in parse_table(rest).rows] == ["张三"]
