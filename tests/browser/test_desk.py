"""Desk, wall and people as they are used: the phone rings, the case pops up, the call is written up."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.voicebot.console import day, floor_day
from tests.voicebot.console.served import Served, serving
from voicebot.domain.journal import Fact
from voicebot.store import Store

pytestmark = pytest.mark.slow
PAGES = (("zhou", "/desk"), ("zhou", "/desk/cases/XH20260006"), ("chen", "/wall"), ("demo", "/people"))
Open = Callable[[str], Page]


@pytest.fixture(scope="module")
def floor(browser: Browser, postgres: str) -> Iterator[Served]:
    with serving(postgres, past_calls=2, people=True) as served:
        yield served


@pytest.fixture
def as_(browser: Browser, floor: Served) -> Iterator[Open]:
    """A tab of a logged-in user; the test fails if a script fails in it."""
    contexts, broken = [], []

    def opened(username: str) -> Page:
        context = browser.new_context(base_url=floor.url, viewport={"width": 1440, "height": 900}, locale="zh-CN")
        contexts.append(context)
        tab = context.new_page()
        tab.on("pageerror", lambda error: broken.append(str(error)))
        tab.goto("/login")
        tab.fill("input[name=username]", username)
        tab.fill("input[name=password]", day.PASSWORD)
        tab.click("button[type=submit]")
        tab.wait_for_selector(".side")
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert broken == []


def in_store(floor: Served, work: Callable[[Store], Awaitable[Any]]) -> Any:
    found: list[Any] = []

    async def run() -> None:
        async with Store.from_url(floor.database) as store:
            found.append(await work(store))

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join()
    return found[0]


def rest_of_talk(floor: Served, call_id: str) -> None:
    now = day.morning().astimezone(dt.UTC).isoformat()
    facts = [Fact(seq, now, ms, kind, data) for seq, (kind, data, ms) in enumerate(floor_day.TALK)]
    in_store(floor, lambda store: store.facts.append(call_id, facts))


def last_command(floor: Served) -> tuple[str, str, dict[str, Any]]:
    with psycopg.connect(floor.database) as connection:
        row = connection.execute("SELECT call_id, verb, payload FROM commands ORDER BY id DESC LIMIT 1").fetchone()
    return row or ("", "", {})


def commanded(floor: Served, wanted: tuple[str, str, dict[str, Any]]) -> None:
    """Wait until this is the newest command: a note on the page may be that of the one before."""
    for _ in range(200):
        if last_command(floor) == wanted:
            return
        time.sleep(0.1)
    assert last_command(floor) == wanted


def test_a_call_rings_pops_up_is_talked_and_written_up(as_: Open, floor: Served) -> None:
    page = as_("zhou")
    page.goto("/desk")
    expect(page.locator(".desk-idle")).to_contain_text("等待来电")
    call = in_store(floor, lambda store: floor_day.hand_over(store, day.morning(), floor_day.RINGING))
    expect(page.locator(".call-head.ringing")).to_contain_text("陈静")
    expect(page.locator(".first")).to_contain_text("刚才您和语音助手说的我都看到了")
    expect(page.locator(".taboos .grave").first).to_be_visible()
    page.get_by_role("button", name="接听客户").click()
    expect(page.locator(".toast")).to_contain_text("已执行")
    commanded(floor, (call, "accept", {"agent": "a1"}))

    rest_of_talk(floor, call)
    expect(page.locator(".call-head.joined")).to_be_visible()
    expect(page.locator(".bubble.agent")).to_contain_text("您说的我都看到了")
    expect(page.locator(".mood circle")).to_have_count(4)
    expect(page.locator(".hints li")).to_contain_text("分期")
    page.locator("details.drop-menu", has_text="转接").locator("summary").click()
    page.fill("form.menu:visible [name=target]", "a2")
    page.locator("form.menu:visible button").click()
    expect(page.locator(".toast").last).to_contain_text("已执行")
    commanded(floor, (call, "transfer", {"agent": "a1", "target": "a2"}))

    page.select_option("[name=code]", "promise_to_pay")
    page.fill("[name=notes]", "发工资后分期还")
    page.locator("label.seg", has_text="分期").click()
    page.fill("[name=date]", (day.morning().date() + dt.timedelta(days=9)).isoformat())
    page.fill("[name=count]", "7")
    expect(page.locator(".plan-why")).to_contain_text("需要主管批准")
    expect(page.get_by_role("button", name="保存并就绪")).to_be_disabled()
    page.reload()
    expect(page.locator("[name=notes]")).to_have_value("发工资后分期还")
    page.fill("[name=count]", "3")
    expect(page.locator(".parts li")).to_have_count(4)
    expect(page.locator(".plan-why")).to_contain_text("在您的权限内")
    in_store(floor, lambda store: store.calls.change(call, ended_at=day.morning()))
    page.get_by_role("button", name="保存并就绪").dblclick()
    expect(page.locator(".toast").last).to_contain_text("已保存")
    expect(page.locator("[data-wrap]")).to_have_count(0)
    made = in_store(floor, lambda store: store.promises.of_case("XH20260004"))
    assert [promise.amount_fen for promise in made if promise.call_id == call] == [234_000] * 3


def test_presence_and_pulling_a_case(as_: Open) -> None:
    page = as_("lin")
    page.goto("/desk")
    page.locator(".presence summary").click()
    page.get_by_role("button", name="培训").click()
    expect(page.locator(".presence .chip")).to_have_text("小休 · 培训")
    page.locator(".presence").get_by_role("button", name="就绪").click()
    expect(page.locator(".presence .chip")).to_have_text("就绪")
    page.get_by_role("button", name="抢下一件").click()
    expect(page.locator(".toast").last).to_contain_text("已归您跟进")
    mine = page.locator(".panel", has=page.locator("h2", has_text="我的案件"))
    expect(mine.get_by_role("button", name="退回")).to_have_count(1)
    mine.get_by_role("link", name="查看").click()
    expect(page.locator(".preview .note")).to_contain_text(re.compile("可以拨打|不允许"))
    page.go_back()
    page.fill("[data-filter]", "征信")
    expect(page.locator(".cards-list .card:visible")).to_have_count(1)


def test_the_wall_shows_who_waits_and_takes_over(as_: Open, floor: Served) -> None:
    page = as_("chen")
    page.goto("/wall")
    card = page.locator("[data-call=live-3]")
    expect(card).to_contain_text("工资还没发下来")
    in_store(floor, lambda store: floor_day.trouble(store, day.morning(), "live-3"))
    expect(page.locator(".alerts li")).to_have_count(2)
    expect(page.locator(".queue .clock.bad")).to_be_visible()
    card.get_by_role("button", name="监听").click()
    expect(page.locator(".toast").last).to_contain_text("请接听您的电话")
    commanded(floor, ("live-3", "supervise", {"agent": "s1", "mode": "listen"}))
    card.get_by_role("button", name="接管").click()
    page.get_by_role("dialog").get_by_text("接管", exact=True).click()
    expect(page.locator(".toast").last).to_contain_text("请接听您的电话")
    commanded(floor, ("live-3", "supervise", {"agent": "s1", "mode": "take_over"}))
    page.locator(".alerts li", has_text="人身安全").get_by_role("button", name="知道了").click()
    expect(page.locator(".alerts li")).to_have_count(1)
    page.locator("[data-desk=big]").click()
    expect(page.locator(".side")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator(".side")).to_be_visible()


def test_an_administrator_adds_an_agent_and_hands_out_a_link(as_: Open) -> None:
    page = as_("demo")
    page.goto("/people")
    page.locator("summary", has_text="新建或修改坐席").click()
    form = page.locator("form[data-form='/api/people/agents']")
    form.locator("[name=id]").fill("a7")
    form.locator("[name=name]").fill("<b>许晴</b>")
    form.locator("[name=address]").fill("sip:1007@10.0.0.5")
    form.get_by_role("button", name="保存").click()
    expect(page.locator("td", has_text="<b>许晴</b>")).to_be_visible()
    page.locator("tr", has_text="lin").get_by_role("button", name="密码链接").click()
    expect(page.locator("dialog code")).to_contain_text("/password?token=")


@pytest.mark.parametrize(("user", "path"), PAGES)
def test_pages_fit_a_phone(as_: Open, user: str, path: str) -> None:
    page = as_(user)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(path)
    page.wait_for_selector(".head")
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
