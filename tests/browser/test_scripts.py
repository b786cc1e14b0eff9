"""The designer's page as designers use it, in a real browser: write, check, talk, try, compare, publish."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.voicebot.console.day import PASSWORD
from tests.voicebot.console.script_day import OTHER_WRITER, REVIEWER, WRITER
from tests.voicebot.console.served import Served, serving

Opened = Callable[[str], Page]


@pytest.fixture(scope="module")
def console(browser: Browser, postgres: str) -> Iterator[Served]:
    with serving(postgres, past_calls=5, scripts=True) as served:
        yield served


@pytest.fixture(scope="module")
def people(browser: Browser, console: Served) -> Iterator[dict[str, BrowserContext]]:
    """Everybody logged in, each in a browser of their own."""
    contexts: dict[str, BrowserContext] = {}
    for name in (WRITER, OTHER_WRITER, REVIEWER):
        context = browser.new_context(base_url=console.url, viewport={"width": 1440, "height": 900}, locale="zh-CN")
        page = context.new_page()
        page.goto("/login")
        page.fill("input[name=username]", name)
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_selector(".side")
        page.close()
        contexts[name] = context
    yield contexts
    for context in contexts.values():
        context.close()


@pytest.fixture
def tab(people: dict[str, BrowserContext]) -> Iterator[Callable[[str], Page]]:
    """A new tab of one of them; the test fails when a script fails in it."""
    pages: list[Page] = []
    broken: list[str] = []

    def opened(name: str) -> Page:
        page = people[name].new_page()
        page.on("pageerror", lambda error: broken.append(str(error)))
        pages.append(page)
        return page

    yield opened
    for page in pages:
        page.close()
    assert broken == []


def flow_of(page: Page, script: str) -> Page:
    page.goto(f"/scripts/{script}")
    expect(page.locator(".flow .card").first).to_be_visible()
    expect(page.locator(".chat-entry form")).to_be_attached()  # everything that is read in the background is there
    return page


def say(page: Page, text: str) -> None:
    turns = page.locator(".chat .callee")
    before = turns.count()
    page.fill("[data-chat-form] [name=say]", text)
    page.keyboard.press("Enter")
    expect(turns).to_have_count(before + 1)


def toast(page: Page, text: str) -> None:
    expect(page.locator(".toast", has_text=text).first).to_be_visible()


def test_the_list_shows_what_is_on_the_air_and_how_it_does(tab: Opened) -> None:
    page = tab(WRITER)
    page.goto("/scripts")
    row = page.locator(".rows tbody tr", has_text="还款提醒").first
    expect(row).to_contain_text("v1")
    expect(row).to_contain_text("已发布")
    expect(row.locator("td").nth(5)).to_contain_text("%")


def test_a_chat_is_changed_replayed_and_becomes_a_test(tab: Opened) -> None:
    page = flow_of(tab(WRITER), "reminder")
    page.click("[data-side-tab=chat]")
    for text in ("我是", "三三一八", "下周五还", "对"):
        say(page, text)
    expect(page.locator(".facts.state")).to_contain_text("承诺还款")
    expect(page.locator(".chat .why").first).to_contain_text("open → verify")
    page.locator("[data-chat-edit]").nth(2).click()
    entry = page.locator(".chat .callee .text input")
    entry.fill("我没钱，还不上")
    entry.press("Enter")
    expect(page.locator(".chat .callee").nth(2)).to_contain_text("我没钱，还不上")
    expect(page.locator(".facts.state")).not_to_contain_text("已记录的承诺")
    page.locator("[data-chat=keep]").click()
    page.fill("dialog input", "没钱时不逼")
    page.locator("dialog button").click()
    toast(page, "已存为测试")
    page.click("[role=tab][data-tab=plays]")
    page.click("[data-plays-run]")
    expect(page.locator("[data-play='没钱时不逼']")).to_contain_text("通过")
    page.click("[data-chat=restart]")
    expect(page.locator(".chat .callee")).to_have_count(0)
    page.fill("[data-chat-form] [name=intents]", "m_human")
    page.press("[data-chat-form] [name=intents]", "Escape")
    page.locator("[data-chat-form] [type=submit]").click()
    expect(page.locator(".chat .deed").last).to_contain_text("转人工")


def test_what_was_written_survives_a_reload_and_becomes_a_draft(tab: Opened) -> None:
    page = flow_of(tab(WRITER), "dispute")
    page.locator("[data-card=open]").click()
    line = page.locator("[data-prompts=say] [data-row] textarea").last
    line.fill("请问是{person}吗？打扰您一分钟。")
    page.locator(".card-form [type=submit]").click()
    expect(page.locator("[data-card=open]")).to_contain_text("打扰您一分钟")
    expect(page.locator("[data-unsaved]")).to_be_visible()
    page.reload()
    expect(page.locator(".restored")).to_contain_text("已恢复")
    expect(page.locator("[data-card=open]")).to_contain_text("打扰您一分钟")
    page.keyboard.press("Control+s")
    toast(page, "已保存为第 2 版草稿")
    expect(page).to_have_url(re.compile(r"v=2"))
    expect(page.locator("[data-unsaved]")).to_be_hidden()
    page.click("[role=tab][data-tab=diff]")
    expect(page.locator(".chip.mark.changed")).to_have_text("open")
    expect(page.locator("tr.came")).to_contain_text("打扰您一分钟")
    page.check("[data-diff-graph]")
    expect(page.locator("[data-card=open]")).to_have_class(re.compile("changed"))


def test_problems_lead_to_their_line_and_to_their_page(tab: Opened) -> None:
    page = flow_of(tab(WRITER), "survey")
    page.click("[role=tab][data-tab=yaml]")
    page.click(".cm-content")
    page.keyboard.press("Control+End")
    page.keyboard.type("\nnonsense: 1\n")
    finding = page.locator(".findings li.error").first
    expect(finding).to_contain_text("没有这个字段")
    expect(page.locator(".cm-line.line-error")).to_contain_text("nonsense")
    page.keyboard.press("Control+Home")
    finding.locator(".place").click()
    expect(page.locator(".cm-activeLine")).to_contain_text("nonsense")
    help_at = finding.locator("a").get_attribute("href")
    assert help_at == "/scripts/help/unknown-key"
    page.evaluate("localStorage.clear()")
    page.goto(help_at)
    expect(page.locator(".help")).to_contain_text("怎么改")


def test_two_designers_lose_nothing_and_a_third_person_publishes(tab: Opened) -> None:
    one, other, reviewer = tab(WRITER), tab(OTHER_WRITER), tab(REVIEWER)
    for page in (one, other):
        flow_of(page, "s1")
        page.click("[role=tab][data-tab=yaml]")
        page.click(".cm-content")
    one.keyboard.press("Control+Home")
    one.keyboard.type("# first\n")
    expect(other.locator("[data-others]")).to_contain_text(WRITER)
    other.keyboard.press("Control+End")
    other.keyboard.type("\n# second\n")
    expect(other.locator("[data-unsaved]")).to_be_visible()
    one.keyboard.press("Control+s")
    toast(one, "第 2 版草稿")
    other.wait_for_timeout(400)
    other.keyboard.press("Control+s")
    expect(other.locator(".conflict")).to_contain_text(f"{WRITER} 在")
    other.click("[data-conflict=merge]")
    expect(other.locator(".cm-content")).to_contain_text("# first")
    other.keyboard.press("Control+s")
    toast(other, "第 2 版草稿")

    other.click("[role=tab][data-tab=versions]")
    expect(other.locator("[data-number='2']")).not_to_contain_text("审核通过")
    reviewer.goto("/scripts/s1?tab=versions")
    draft = reviewer.locator(".versions [data-number='2']")
    for step, state in (("审核通过", "已审核"), ("发布", "已发布")):
        draft.get_by_role("button", name=step, exact=True).click()
        reviewer.get_by_role("dialog").get_by_role("button", name=step, exact=True).click()
        expect(draft).to_contain_text(state)
    expect(draft).to_contain_text(f"{WRITER}, {OTHER_WRITER} 写于")
    expect(reviewer.locator(".versions [data-number='1']")).to_contain_text("已下线")
    reviewer.get_by_role("button", name="开始分流").click()
    expect(draft).to_contain_text("45%")  # half of what the hold-out of 10 % leaves


def test_simulated_debtors_colour_the_flow(tab: Opened) -> None:
    page = flow_of(tab(WRITER), "reminder")
    page.click("[role=tab][data-tab=simulate]")
    page.fill("[data-simulate] [name=count]", "40")
    page.locator("[data-simulate] [type=submit]").click()
    expect(page.locator("[data-sim-figures]")).to_contain_text("40", timeout=60_000)
    expect(page.locator(".worst li").first).to_be_visible()
    page.click("[role=tab][data-tab=flow]")
    expect(page.locator("[data-card=open].funnel header .hits")).to_have_text("40")


def test_cards_are_reached_by_keyboard_and_found_by_their_lines(tab: Opened) -> None:
    page = flow_of(tab(REVIEWER), "reminder")
    page.keyboard.press("/")
    page.keyboard.type("身份证后四位")
    expect(page.locator("[data-card=end]")).to_have_class(re.compile("dim"))
    page.locator("[data-card=open]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".card-form header b")).not_to_have_text("open")
    expect(page.locator(".card-form .fields").get_by_role("textbox").first).to_be_disabled()  # a reviewer reads


def test_lines_are_heard(tab: Opened) -> None:
    page = tab(WRITER)
    page.goto("/scripts")
    answer = page.request.get("/api/scripts/say?text=您好，请问是张伟先生本人吗")
    assert answer.headers["content-type"] == "audio/wav"
    assert len(answer.body()) > 16000


@pytest.mark.parametrize("path", ["/scripts", "/scripts/survey"])
def test_pages_fit_a_phone(tab: Opened, path: str) -> None:
    page = tab(WRITER)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(path)
    page.wait_for_selector(".head")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
