"""Promises, tickets and messages as people use them, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.voicebot.console.served import Served, serving


@pytest.fixture(scope="module")
def console(browser: Browser, postgres: str) -> Iterator[Served]:
    with serving(postgres, past_calls=1, follow=True) as served:
        yield served


def test_a_day_of_the_calendar_opens_its_promises(page: Page) -> None:
    page.goto("/promises")
    expect(page.locator(".month-day:not(.out)")).to_have_count(int(page.locator(".month-day b").count()))
    expect(page.locator(".month-day.today")).to_have_count(1)
    day = page.locator("a.month-day").first
    total = day.locator(".month-sum").inner_text()
    day.click()
    expect(page.locator("#day table")).to_contain_text(total)
    page.get_by_title("上个月").click()
    expect(page.locator(".month-day.today")).to_have_count(0)


def test_a_ticket_is_closed_from_its_card(page: Page) -> None:
    page.goto("/tickets")
    rows = page.locator("table.tickets tbody tr")
    before = rows.count()
    expect(rows.first).to_contain_text("已超期")
    page.locator("tr", has_text="投诉").first.click()
    expect(page).to_have_url(re.compile(r"/tickets/\d+"))
    expect(page.locator(".ticket-card")).to_contain_text("银保监会令2020年第3号")
    form = page.locator("form[data-form$='/notes']")
    form.locator("textarea").fill("已向客户书面答复")
    form.get_by_role("button").click()
    expect(page.locator(".ticket-notes")).to_contain_text("已向客户书面答复")
    close = page.locator("form[data-form$='/close']")
    close.locator("textarea").fill("客户接受答复")
    close.get_by_role("button").click()
    expect(page.locator(".ticket-forms")).to_have_count(0)
    expect(page.locator(".ticket-card")).to_contain_text("恢复联系")
    page.goto("/tickets")
    expect(rows).to_have_count(before - 1)


def test_the_outbox_shows_states_and_what_was_given_up(page: Page) -> None:
    page.goto("/messages")
    for told in ("已送达", "失败", "空号", "crm", "放弃 1"):
        expect(page.locator("main.main")).to_contain_text(told)
    page.get_by_text("添加订阅").click()
    page.fill("input[name=name]", "bank")
    page.fill("input[name=url]", "http://127.0.0.1:9/x")
    page.locator("form[data-form='/api/webhooks'] button[type=submit]").click()
    expect(page.locator("main.main")).to_contain_text("bank")
