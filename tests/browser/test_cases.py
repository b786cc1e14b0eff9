"""The pages of cases as people use them: a file comes in, is corrected, mended; a case tells what happened to it."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

FILE = (
    "合同号,客户姓名,联系电话,身份证后四位,余额,逾期天数,备注\n"
    "B-1,周一,13900139101,1234,900,10,司机\n"
    "B-2,吴二,1390013,1234,1200,11,<img src=x>\n"
)


def hand_in(page: Page, tmp_path: Path, text: str, name: str = "cases.csv") -> None:
    file = tmp_path / name
    file.write_bytes(text.encode("gb18030"))
    page.goto("/cases/import")
    page.fill("[data-creditor]", "星河消费金融有限公司")
    page.set_input_files("[data-case-file] input", file)
    expect(page).to_have_url(re.compile(r"/cases/import/\d{4}-"))


def test_a_file_is_checked_corrected_imported_and_mended(page: Page, tmp_path: Path) -> None:
    hand_in(page, tmp_path, FILE)
    expect(page.locator("[data-plan]")).to_contain_text("缺少必需的列：欠款金额")
    start = page.get_by_role("button", name="开始导入")
    expect(start).to_be_disabled()
    page.locator("select[data-heading=余额]").select_option("欠款金额")
    expect(start).to_be_enabled()
    page.locator("select[data-heading=备注]").select_option("occupation")
    expect(page.locator("select[data-heading=备注] option[selected]")).to_have_text("职业")  # the page is drawn anew
    expect(page.locator("tr.bad .why")).to_contain_text("手机号应为11位")
    start.click()
    expect(page.locator("[data-count=imported]")).to_have_text("1")
    expect(page.locator("[data-count=rejected]")).to_have_text("1")
    with page.expect_download() as download:
        page.get_by_text("下载被拒绝的行").click()
    assert "手机号应为11位" in Path(download.value.path()).read_text(encoding="utf-8-sig")
    before = page.url
    page.locator("[data-reject] input").fill("13900139102")
    page.get_by_role("button", name="导入改好的行").click()
    page.wait_for_url(lambda url: url != before)
    expect(page.locator("[data-count=imported]")).to_have_text("1")
    expect(page.locator("[data-no-rejects]")).to_be_visible()
    page.goto("/cases?search=9102")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("吴二")


def test_a_correction_is_remembered_for_such_files(page: Page, tmp_path: Path) -> None:
    for name, expected in (("one.csv", "缺少"), ("two.csv", "已套用")):
        hand_in(page, tmp_path, FILE.replace("余额", "结余").replace("B-", f"{name[:1]}-"), name)
        expect(page.locator("[data-plan]")).to_contain_text(expected)
        if expected == "缺少":
            page.locator("select[data-heading=结余]").select_option("欠款金额")
        page.get_by_role("button", name="开始导入").click()
        expect(page.locator("[data-count=rejected]")).to_have_text("1")


def test_the_list_turns_its_pages_and_filters(page: Page, tmp_path: Path) -> None:
    lines = [f"P-{n:03d},郑{'甲乙丙丁戊'[n % 5]},1380014{n:04d},0426,{100 + n},{n % 30}" for n in range(60)]
    hand_in(page, tmp_path, "借据号,姓名,手机号,身份证后四位,欠款金额,逾期天数\n" + "\n".join(lines))
    page.get_by_role("button", name="开始导入").click()
    expect(page.locator("[data-count=imported]")).to_have_text("60")
    page.goto("/cases?search=P-")
    expect(page.locator(".pager")).to_contain_text("共 60 件")
    seen = []
    for _ in range(3):
        seen += page.locator("tbody a.cover").evaluate_all("links => links.map((link) => link.getAttribute('href'))")
        after = page.get_by_role("link", name="下一页")
        if after.count():
            after.click()
            page.wait_for_load_state()
    assert len(seen) == len(set(seen)) == 60
    page.get_by_role("link", name="上一页").click()
    expect(page.locator("tbody tr")).to_have_count(25)
    page.goto("/cases?search=P-&min_overdue_days=29")
    expect(page.locator("tbody tr")).to_have_count(2)


def test_a_case_tells_what_happened_and_takes_notes(page: Page) -> None:
    page.goto("/cases/XH20260000")
    history = page.locator(".history li")
    expect(page.locator("[data-moment=imported]")).to_have_count(1)
    expect(page.locator("[data-moment=call]").first).to_contain_text("承诺还款")
    count = history.count()
    page.fill("textarea[name=text]", "客户说<b>周五</b>到账")
    page.get_by_role("button", name="保存备注").click()
    expect(history).to_have_count(count + 1)
    expect(history.first).to_contain_text("客户说<b>周五</b>到账")
    page.fill("input[name=why]", "等待法院通知")
    page.get_by_role("button", name="确认变更").click()
    expect(page.locator("[data-moment=suspended]")).to_contain_text("等待法院通知")
    expect(page.locator(".stats")).to_contain_text("暂停")


def test_a_file_of_payments_closes_what_is_paid(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "payments.csv"
    rows = "XH20260003,860,2026-11-20,T-1\nnobody,1,2026-11-20,T-2\n"
    file.write_text(f"借据号,还款金额,还款日期,流水号\n{rows}", encoding="utf-8")
    page.goto("/cases/import")
    page.set_input_files("[data-payment-file] input", file)
    expect(page.locator(".toast")).to_contain_text("入账 1 笔，重复 0 笔，拒绝 1 笔，结案 1 件")
    expect(page.locator("[data-payment-rejects] li")).to_contain_text("nobody")
    page.goto("/cases/XH20260003")
    expect(page.locator("[data-moment=payment]")).to_contain_text("T-1")
    expect(page.locator(".stats")).to_contain_text("已结案")
