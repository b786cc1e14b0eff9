"""Logging in with a second step, one's account, and who may what, in a real browser."""

from __future__ import annotations

import os
import re

import pyotp
from playwright.sync_api import Browser, Page, expect

from tests.voicebot.console.day import PASSWORD
from tests.voicebot.console.served import Served

SHOTS = os.environ.get("VOICEBOT_SHOTS", "")
"""A folder for pictures of the pages in both themes."""


def shoot(page: Page, name: str) -> None:
    for theme in ("light", "dark"):
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{theme}.png", full_page=True)
        page.click("[data-action=theme]")


def log_in(page: Page, console: Served) -> None:
    page.goto(f"{console.url}/login")
    page.fill("input[name=username]", "qa")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")


def test_a_second_step_is_set_up_and_asked_for(browser: Browser, console: Served) -> None:
    context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    broken: list[str] = []
    page.on("console", lambda said: broken.append(said.text) if "Content Security Policy" in said.text else None)
    log_in(page, console)
    page.wait_for_selector(".side")
    page.click(".who")
    expect(page.locator("main.main")).to_contain_text("未启用")
    expect(page.locator("main.main")).to_contain_text("当前")
    page.click("a[href='/second-factor']")
    expect(page.locator(".qr svg")).to_be_visible()
    shoot(page, "second-factor")
    page.click("summary")
    secret = page.inner_text("code.secret").replace(" ", "")
    page.fill("input[name=code]", pyotp.TOTP(secret).now())
    page.click("button[type=submit]")
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    code = page.locator(".recovery-codes code").first.inner_text()
    shoot(page, "recovery-codes")
    page.click("a[href='/account']")
    expect(page.locator("main.main")).to_contain_text("剩余恢复码 10 个")
    context.clear_cookies()
    log_in(page, console)
    expect(page).to_have_url(re.compile("/login/code"))
    shoot(page, "login-code")
    page.fill("input[name=code]", code)
    page.click("button[type=submit]")
    page.wait_for_selector(".side")
    context.close()
    assert broken == []


def test_a_token_is_made_shown_once_and_revoked(page: Page) -> None:
    page.goto("/account")
    page.fill("form[data-token] input[name=label]", "数据仓库")
    page.check("form[data-token] input[value=calls]")
    page.check("form[data-token] input[value=reports]")
    page.click("form[data-token] button[type=submit]")
    expect(page.locator("dialog.link-box code")).to_have_text(re.compile("^vb_"))
    token = page.inner_text("dialog.link-box code")
    page.keyboard.press("Escape")
    row = page.locator("tr", has_text="数据仓库")
    expect(row).to_contain_text("查看通话")
    shoot(page, "account")
    asked = page.request.get("/api/calls", headers={"Authorization": f"Bearer {token}", "Cookie": ""})
    assert asked.status == 200
    row.get_by_role("button", name="吊销").click()
    page.click("dialog.ask .danger")
    expect(page.locator("main.main")).not_to_contain_text("数据仓库")
    assert token not in page.content()


def test_who_may_what_is_a_page(page: Page) -> None:
    page.goto("/people")
    shoot(page, "people")
    page.click("a[href='/access']")
    expect(page.locator(".access-table").first).to_contain_text("看到完整姓名")
    expect(page.locator(".access-table").last).to_contain_text("/api/cases")
    for role in ("管理员", "运营", "主管", "质检", "坐席", "话术设计", "审计"):
        expect(page.locator(".access-table thead").first).to_contain_text(role)
    shoot(page, "access")
