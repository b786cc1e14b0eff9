"""The page of rules in a real browser: what was answered and why, the filter, a number registered and removed."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Page, expect

from tests.voicebot.console.served import Served
from voicebot.compliance.asking import judge_by
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.ledger import Means
from voicebot.domain.permission import DialRequest, Stop
from voicebot.store import Store

MORNING = dt.datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)
SHOTS = os.environ.get("VOICEBOT_SHOTS", "")
"""A folder for pictures of the page in both themes."""


@pytest.fixture(scope="module")
def answers(console: Served) -> Served:
    async def note() -> None:
        async with Store.from_url(console.database) as store:
            judge, ask = judge_by(), DialRequest(MORNING, ("CN",), "debtor", "+8613800000077", case_id="RB-1")
            asked = [ask, DialRequest(MORNING.replace(hour=12), ("CN",), "debtor", "+8613800000078", case_id="RB-2")]
            asked.append(DialRequest(MORNING, ("CN",), "debtor", "+8613800000079", case_id="RB-3",
                                     stops=(Stop("do_not_call"),)))  # fmt: skip
            for request in asked:
                await store.decisions.note(request, judge(request, request.now), request.now, Means.CALL)
            while await store.decisions.chain():
                pass

    with ThreadPoolExecutor(1) as beside:  # Playwright's loop runs in this thread
        beside.submit(asyncio.run, note()).result()
    return console


def picture(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def test_the_ledger_says_why_in_plain_words(page: Page, answers: Served) -> None:
    page.goto("/rules?since=2026-11-24&until=2026-11-24")
    table = page.locator("table.rows").first
    expect(table).to_contain_text("午休时间不拨打")
    expect(table).to_contain_text("对方已要求停止来电")
    expect(table).not_to_contain_text("13800000079")
    picture(page, "rules-light")
    page.click("[data-action=theme]")
    picture(page, "rules-dark")
    page.locator("select[name=rule]").select_option("CN-D2")
    expect(page.locator("table.rows").first.locator("tbody tr")).to_have_count(1)
    expect(page.locator("table.rows").first).to_contain_text("RB-3")


def test_a_number_is_registered_and_removed(page: Page, answers: Served) -> None:
    page.goto("/rules")
    page.locator("summary", has_text="登记主叫号码").click()
    page.fill("input[name=holder]", "示范公司")
    page.locator("form[data-form] input[name=number]").fill("01012345678")
    page.fill("input[name=valid_from]", "2026-01-01")
    page.locator("form[data-form] button[type=submit]").click()
    row = page.locator("tr", has_text="01012345678")
    expect(row).to_contain_text("未核验")
    row.get_by_role("button", name="注销").click()
    picture(page, "rules-confirm")
    page.locator("dialog, [role=dialog], [role=alertdialog]").get_by_role("button", name="注销").click()
    expect(row).to_have_count(0)
