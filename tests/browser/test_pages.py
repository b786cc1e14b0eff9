"""The pages as people use them, in a real browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.voicebot.console.served import Served

PAGES = ("/", "/calls", "/calls/call-0000", "/cases", "/cases/XH20260000", "/campaigns")


def hear(console: Served, text: str) -> None:
    """Let the live call's callee say something, as the line's copier tells it: partial texts are only notified."""
    note = {"call_id": "live-3", "seq": -1, "at": "2026-11-21T02:00:00+00:00", "ms": 40000, "kind": "hearing"}
    with psycopg.connect(console.database, autocommit=True) as connection:
        connection.execute("SELECT pg_notify('voicebot_facts', %s)", [json.dumps({**note, "data": {"text": text}})])


def test_login_refuses_and_lets_in(browser: Browser, console: Served) -> None:
    context = browser.new_context(base_url=console.url)
    page = context.new_page()
    page.goto("/campaigns")
    expect(page).to_have_url(re.compile("/login"))
    page.fill("input[name=username]", "qa")
    page.fill("input[name=password]", "wrong")
    page.click("button[type=submit]")
    expect(page.get_by_role("alert")).to_contain_text("用户名或密码不正确")
    page.fill("input[name=username]", "qa")
    page.fill("input[name=password]", "demo-password-1")
    page.click("button[type=submit]")
    # a reviewer has no campaigns: the page says so instead of showing them
    expect(page.locator("body")).to_contain_text("lacks the permission 'campaigns'")
    page.goto("/")
    expect(page.locator(".side nav a")).to_have_count(8)
    shown = page.locator(".side nav a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert shown == ["/", "/calls", "/scripts", "/reports", "/review", "/search", "/rules", "/evidence"]
    context.close()


def test_a_running_call_grows_word_by_word(page: Page, console: Served) -> None:
    page.goto("/")
    card = page.locator("[data-call=live-3]")
    expect(card).to_contain_text("刘洋")
    expect(card).to_contain_text("工资还没发下来")
    expect(card.locator(".chip.emotion")).to_have_text("焦虑")
    hear(console, "我下周")
    expect(card.locator(".bubble.open.caller")).to_have_text("我下周")
    hear(console, "我下周五还")
    expect(card.locator(".bubble.open.caller")).to_have_text("我下周五还")
    hear(console, "我是刘洋")
    expect(card.locator(".bubble.open.caller")).to_have_text("我是刘洋")
    expect(card).to_contain_text("刘洋")  # whoever may see names also does so in what comes later
    expect(page.locator(".stat").first).to_contain_text("6")


def test_names_stay_masked_in_what_comes_later(browser: Browser, console: Served) -> None:
    with psycopg.connect(console.database) as connection:
        connection.execute(
            "INSERT INTO users (username, role, display_name, password_hash, created_at) "
            "SELECT 'designer', 'designer', '话术一号', password_hash, now() FROM users WHERE username = 'qa'"
        )
    context = browser.new_context(base_url=console.url)
    page = context.new_page()
    page.goto("/login")
    page.fill("input[name=username]", "designer")
    page.fill("input[name=password]", "demo-password-1")
    page.click("button[type=submit]")
    card = page.locator("[data-call=live-3]")
    expect(card).to_contain_text("刘*")
    hear(console, "喂我是刘洋啊")
    expect(card.locator(".bubble.open.caller")).to_have_text("喂我是刘*啊")
    assert "刘洋" not in page.content()
    context.close()


def test_hanging_up_asks_first(page: Page, console: Served) -> None:
    def orders() -> int:
        with psycopg.connect(console.database) as connection:
            row = connection.execute("SELECT count(*) FROM commands WHERE verb = 'hang_up'").fetchone()
        return int(row[0]) if row else 0

    page.goto("/")
    before = orders()
    page.locator("[data-call=live-3] button", has_text="挂断").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("挂断与 刘洋 的通话")
    dialog.get_by_text("取消").click()
    assert orders() == before
    page.locator("[data-call=live-3] button", has_text="挂断").click()
    page.get_by_role("dialog").get_by_text("挂断", exact=True).click()
    expect(page.locator(".toast")).to_have_text("已请求挂断")
    assert orders() == before + 1


def test_the_call_page_seeks_and_follows(page: Page) -> None:
    page.goto("/calls?text=就这么定")
    page.get_by_role("link", name=re.compile(r"\d\d-\d\d")).first.click()
    lines = page.locator("[data-line]")
    expect(lines).to_have_count(11)
    expect(lines.nth(7)).to_contain_text("下周五吧")
    expect(page.locator(".skeleton")).to_have_count(0)
    start = int(lines.nth(7).get_attribute("data-start") or 0)
    lines.nth(7).click()
    expect(lines.nth(7)).to_have_class(re.compile("now"))
    expect(page.locator("[data-player]")).to_have_class(re.compile("playing"))
    page.wait_for_function("document.querySelector('audio').currentTime > 0")
    at = page.evaluate("document.querySelector('audio').currentTime") * 1000
    assert start <= at < start + 5000
    page.keyboard.press("Space")
    expect(page.locator("[data-player]")).not_to_have_class(re.compile("playing"))
    page.keyboard.press("k")
    expect(page.locator("[data-line].now")).to_have_count(1)
    painted = page.evaluate(
        "(() => { const c = document.querySelector('canvas');"
        " return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v) })()"
    )
    assert painted


def test_the_badge_verifies_now_and_shows_what_was_touched(page: Page, console: Served) -> None:
    page.goto("/calls/call-0001")
    badge = page.locator("[data-verify]")
    badge.click()
    expect(badge).to_have_class(re.compile(r"\bvalid"))
    path = next(Path(console.recordings).rglob("call-0001.zip"))
    content = path.read_bytes()
    changed = bytearray(content)
    changed[changed.index(b"RIFF") + 9000] ^= 4
    path.write_bytes(changed)
    try:
        badge.click()
        expect(badge).to_have_class(re.compile("invalid"))
        expect(page.locator("[data-failures] li")).not_to_have_count(0)
    finally:
        path.write_bytes(content)
    with page.expect_download() as download:
        page.get_by_text("下载证据包").click()
    assert download.value.suggested_filename == "call-0001.zip"


def test_dark_and_english_stay_chosen(page: Page) -> None:
    page.goto("/calls")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.click("[data-action=theme]")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate(ground) != light
    page.click("[data-action=language]")
    expect(page.locator("h1")).to_have_text("Calls")
    page.reload()
    expect(page.locator("h1")).to_have_text("Calls")
    assert page.evaluate("[document.documentElement.dataset.theme, document.documentElement.lang]") == ["dark", "en"]


def test_campaigns_start_and_stop_in_place(page: Page) -> None:
    page.goto("/campaigns")
    card = page.locator(".campaign", has_text="大额首逾关怀")
    card.get_by_role("button", name="启动").click()
    expect(card.get_by_role("button", name="停止")).to_be_visible()
    card.get_by_role("button", name="停止").click()
    expect(card.get_by_role("button", name="启动")).to_be_visible()


def test_a_new_campaign_appears_in_the_list(page: Page) -> None:
    page.goto("/campaigns")
    page.locator("summary").click()
    page.fill("[name=name]", "十二月 <b>小额</b>")
    page.fill("[name=max_amount_fen]", "2000.50")
    page.get_by_role("button", name="创建").click()
    expect(page.locator(".toast")).to_contain_text("任务已创建")
    card = page.locator(".campaign", has_text="十二月 <b>小额</b>")
    expect(card.get_by_role("button", name="启动")).to_be_visible()


@pytest.mark.parametrize("path", PAGES)
def test_pages_fit_a_phone(page: Page, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(path)
    page.wait_for_selector(".head")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_does_not_exist_is_said_so(page: Page) -> None:
    page.goto("/calls/nobody")
    expect(page.locator(".empty")).to_contain_text("没有编号为 nobody 的通话")
    page.goto("/calls?text=没人说过的话")
    expect(page.locator(".empty")).to_contain_text("没有符合条件的通话")
