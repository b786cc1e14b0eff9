"""Segments, strategies and the what-if in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect


def test_the_calendar_is_changed_by_clicks_checked_and_saved_as_a_version(page: Page) -> None:
    page.goto("/strategies/steady")
    fields = page.locator("[data-step='0'] [data-toggle]")
    on = page.locator("[data-step='0'] .mark.on")
    expect(on).to_have_count(4)
    expect(page.locator(".chip.good", has_text="检查通过")).to_be_visible()
    page.locator("[data-toggle='0:3']").click()
    expect(on).to_have_count(5)
    assert "[1, 3, 7, 15, 21]" in page.locator("textarea.policy").input_value()
    page.locator("[data-toggle='0:7']").click()
    expect(on).to_have_count(4)
    assert fields.count() > 20
    # What is not there is named before anybody saves it.
    text = page.locator("textarea.policy")
    text.fill(text.input_value().replace("call: reminder", "call: unheard-of"))
    page.locator("[data-policy-check]").click()
    expect(page.locator("ul.wrong")).to_contain_text("unheard-of")
    text.fill("title: 3\n")
    page.locator("[data-policy-check]").click()
    expect(page.get_by_role("alert")).to_contain_text("steady.yaml, line 1")
    page.reload()
    page.locator("[data-toggle='0:3']").click()
    expect(on).to_have_count(5)
    page.get_by_role("button", name="保存为新版本").click()
    expect(page.locator(".cap .hint", has_text="第 1 版")).to_be_visible()
    expect(on).to_have_count(5)
    page.goto("/strategies")
    expect(page.locator(".strategy", has_text="steady").locator(".mark.on")).to_have_count(8)


def test_a_segment_shows_its_parts_and_leads_to_a_campaign(page: Page) -> None:
    page.goto("/segments")
    card = page.locator(".segment-card", has_text="从未拨打")
    expect(card).to_contain_text("件")
    expect(page.locator(".bars .track")).not_to_have_count(0)
    expect(page.locator("td", has_text="overdue_days").first).to_be_visible()
    card.click()
    expect(page).to_have_url(re.compile("/segments/never-rung"))
    expect(page.locator(".segment-card[aria-current=page]")).to_contain_text("从未拨打")
    page.get_by_role("link", name="用此分群新建外呼任务").click()
    expect(page.locator("select[name=segment]")).to_have_value("never-rung")


def test_how_the_day_would_go_stands_before_the_campaign_is_made(page: Page) -> None:
    page.goto("/campaigns?segment=never-rung")
    before = page.locator(".campaign").count()
    page.fill("input[name=name]", "推演一下")
    page.locator("form [data-what-if]").click()
    seen = page.locator(".what-if")
    expect(seen).to_contain_text("今天拨打")
    expect(seen).to_contain_text("今天不许拨打")
    assert page.locator(".campaign").count() == before, "nothing is made by asking"
    page.fill("input[name=max_overdue_days]", "1")
    page.fill("input[name=min_overdue_days]", "5")
    page.locator("form [data-what-if]").click()
    expect(page.get_by_role("alert")).to_contain_text("lower bound")
