"""Real calls played through a draft, from its button to the report and the call in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.voicebot.console.served import Served, serving
from voicebot.config import scripts_dir


@pytest.fixture(scope="module")
def console(browser: Browser, postgres: str) -> Iterator[Served]:
    with serving(postgres, past_calls=5, scripts=True, quality=True) as served:
        yield served


def test_a_draft_is_tried_on_real_calls(page: Page, console: Served) -> None:
    text = (scripts_dir() / "reminder.yaml").read_text(encoding="utf-8").replace("本次通话会录音", "我们的通话会录音")
    answer = httpx.post(
        f"{console.url}/api/scripts/reminder/draft",
        json={"source": text},
        headers={"Authorization": f"Bearer {console.token}"},
        timeout=60,
    )
    number = answer.json()["number"]
    page.goto(f"/scripts/reminder?v={number}&tab=versions")
    page.locator(f"li[data-number='{number}']").get_by_role("button", name="用真实通话试播").click()
    done = page.locator(f"li[data-number='{number}'] [data-trial=done]")
    expect(done).to_contain_text("试播")
    done.get_by_role("link", name="看报告").click()
    expect(page.locator("[data-trial-report] .stat").first).to_contain_text(re.compile(r"\d"))
    page.locator("[data-trial-report] a[href^='/review/']").first.click()
    expect(page).to_have_url(re.compile(r"/review/call-\d+\?t=\d"))
