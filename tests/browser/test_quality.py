"""The workbench, the search and the reports as people use them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.voicebot.console.day import PASSWORD
from tests.voicebot.console.served import Served, serving


@pytest.fixture(scope="module")
def console(browser: Browser, postgres: str) -> Iterator[Served]:
    with serving(postgres, past_calls=5, quality=True) as served:
        yield served


def one(console: Served, query: str) -> object:
    with psycopg.connect(console.database) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def test_reports_are_drawn_and_exported(page: Page) -> None:
    page.goto("/reports")
    expect(page.locator(".stat").first).to_contain_text("%")
    expect(page.locator(".chart:has(canvas)")).to_have_count(6)
    coverage = page.locator("[data-figure=coverage]")
    expect(coverage).to_contain_text("100.0%")
    expect(coverage).to_contain_text("5 / 5")
    for kind, magic in (("xlsx", b"PK"), ("pdf", b"%PDF")):
        answer = page.request.get(f"/api/reports/export.{kind}")
        assert answer.ok
        assert answer.body().startswith(magic)
    page.goto("/reports?stage=M4")
    expect(page.locator(".empty").first).to_contain_text("没有已结束的通话")


def test_a_call_is_scored_by_keys_alone(page: Page, console: Served) -> None:
    page.goto("/review")
    page.get_by_role("link", name="call-0000").click()
    questions = page.locator("[data-question]")
    expect(questions.first).to_have_class(re.compile("current"))
    for index, key in enumerate("12311111111"):
        expect(questions.nth(index)).to_have_class(re.compile("current"))
        page.keyboard.press(key)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_contain_text("评分已提交：0")
    expect(page.locator("[data-score]")).to_have_class(re.compile("done"))
    kept = one(console, "SELECT answers ->> 'disclosure' FROM reviews WHERE call_id = 'call-0000' AND state = 'done'")
    assert kept == "no"
    assert one(console, "SELECT fatal FROM reviews WHERE call_id = 'call-0000' AND state = 'done'") is True


def test_speed_keeps_the_pitch_and_links_lead_to_the_second(page: Page) -> None:
    page.goto("/review/call-0000?t=21.5")
    expect(page.locator(".skeleton")).to_have_count(0)
    page.wait_for_function("document.querySelector('audio').currentTime > 21")
    for _ in range(2):
        page.keyboard.press("]")
    assert page.evaluate("document.querySelector('audio').playbackRate") == 1.5
    assert page.evaluate("document.querySelector('audio').preservesPitch") is True
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile(r"[?&]t=21\.5"))
    page.keyboard.press("s")
    assert page.evaluate("document.querySelector('[data-skip]').checked") is True
    expect(page.locator(".lane-name", has_text="违规")).to_have_count(1)


def test_silence_is_skipped(page: Page) -> None:
    page.goto("/review/call-0000")
    expect(page.locator(".skeleton")).to_have_count(0)
    page.wait_for_function("window.voicebotPlayer && window.voicebotPlayer.peaks")
    jumped = page.evaluate(
        "(() => { const p = window.voicebotPlayer; p.peaks.left.fill(0, 40, 120); p.peaks.right.fill(0, 40, 120);"
        " p.silences = p.quiet(); document.querySelector('[data-skip]').checked = true;"
        " const [from, to] = p.silences[0]; Object.defineProperty(p.audio, 'paused', { value: false });"
        " p.audio.currentTime = (from + 50) / 1000; p.skip(); return [p.audio.currentTime * 1000, to]; })()"
    )
    assert abs(jumped[0] - jumped[1]) < 5


def test_a_finding_is_judged_and_a_comment_kept_at_its_moment(page: Page, console: Served) -> None:
    page.goto("/review/call-0000?t=30")
    page.wait_for_function("document.querySelector('audio')?.currentTime > 29")
    page.keyboard.press("c")
    page.keyboard.type("这里语气很好")
    page.keyboard.press("Enter")
    expect(page.locator(".comments li", has_text="这里语气很好")).to_contain_text("0:30")
    page.get_by_text("误报", exact=True).click()
    expect(page.locator(".findings .chip.good")).to_have_text("误报")
    assert one(console, "SELECT verdict FROM verdicts WHERE call_id = 'call-0000'") == "false"


def test_a_kept_replay_is_shown(page: Page, console: Served) -> None:
    told = {"calls": 7, "same": 3, "other_words": 3, "other_way": 1, "promises": [2, 1], "handoffs": [2, 2],
            "violating": [0, 0], "moved": []}  # fmt: skip
    with psycopg.connect(console.database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO replay_runs (script, candidate, sha256, made_by, made_at, summary)"
            " VALUES ('m1', 'm1.yaml', '', 'demo', now(), %s)", [json.dumps(told)],
        )  # fmt: skip
    page.goto("/review")
    expect(page.locator("tr", has_text="m1.yaml")).to_contain_text("走向不同 1")
    expect(page.locator("tr", has_text="m1.yaml")).to_contain_text("承诺 2→1")


def test_a_calibration_is_begun_and_stays_closed(page: Page) -> None:
    page.goto("/calibration")
    page.fill("input[name=call_id]", "call-0003")
    page.get_by_role("button", name="发起校准").click()
    expect(page.locator(".panel", has_text="call-0003")).to_contain_text("0/3 位已完成")


def test_an_agent_objects_and_reads_the_answer(browser: Browser, page: Page, console: Served) -> None:
    context = browser.new_context(base_url=console.url, locale="zh-CN")
    theirs = context.new_page()
    theirs.goto("/login")
    theirs.fill("input[name=username]", "zhou7")
    theirs.fill("input[name=password]", PASSWORD)
    theirs.click("button[type=submit]")
    theirs.wait_for_selector(".side")
    theirs.goto("/my-reviews")
    expect(theirs.locator(".panel", has_text="call-0001")).to_contain_text("开场没有报工号")
    theirs.fill("input[name=text]", "我在第二句报了工号")
    theirs.get_by_role("button", name="申诉").click()
    expect(theirs.locator("[data-appeal=open]")).to_contain_text("申诉处理中")
    page.goto("/review")
    decision = page.locator("form", has=page.locator("input[name=answer]"))
    decision.locator("input[name=answer]").fill("听了录音，成立")
    decision.locator("input[name=score]").fill("95")
    decision.get_by_role("button").click()
    expect(page.locator(".toast")).to_contain_text("已处理")
    theirs.reload()
    expect(theirs.locator("[data-appeal=changed]")).to_contain_text("听了录音，成立")
    assert theirs.goto("/review").status == 403  # type: ignore[union-attr]
    context.close()


def test_the_badge_of_the_workbench_verifies(page: Page) -> None:
    page.goto("/review/call-0002")
    badge = page.locator("[data-verify]")
    badge.click()
    expect(badge).to_have_class(re.compile(r"\bvalid"))


def test_words_are_found_and_lead_to_their_second(page: Page) -> None:
    page.goto("/search?text=工资 手头")
    hit = page.locator(".hits > li").first
    expect(hit.locator("mark").first).to_have_text(re.compile("工资|手头"))
    hit.locator("ul a").first.click()
    expect(page).to_have_url(re.compile(r"/review/call-\d+\?t=\d"))
    page.goto("/search?text=从来没有人说过的话")
    expect(page.locator(".empty")).to_contain_text("没有找到")


def test_a_report_is_planned(page: Page) -> None:
    page.goto("/reports")
    page.locator("summary", has_text="新建定时发送").click()
    page.fill("input[name=name]", "管理周报")
    page.fill("input[name=recipients]", "chef@example.org")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("td", has_text="管理周报")).to_contain_text("chef@example.org")
