"""The page of evidence in a real browser: the log is whole, a hold stands, and a verification leaves an operation."""

from __future__ import annotations

import os

import httpx
from playwright.sync_api import Page, expect

from tests.voicebot.console.served import Served

SHOTS = os.environ.get("VOICEBOT_SHOTS", "")
"""A folder for pictures of the page in both themes."""


def test_what_was_done_stands_on_the_page(page: Page, console: Served) -> None:
    with httpx.Client(
        base_url=console.url, headers={"Authorization": f"Bearer {console.token}"}, timeout=60
    ) as program:
        case_id = program.get("/api/calls/call-0000").json()["case_id"]
        assert program.post(f"/api/cases/{case_id}/holds", json={"reason": "诉讼 (2026) 123"}).status_code == 200
        assert program.post("/api/calls/call-0000/verify").json()["valid"]
    page.goto("/evidence")
    expect(page.locator("main.main")).to_contain_text("一致，未被改动")
    expect(page.locator("main.main")).to_contain_text("诉讼 (2026) 123")
    expect(page.locator("main.main")).to_contain_text("核验")
    expect(page.locator(f"a[href='/cases/{case_id}']").first).to_be_visible()
    for theme in ("light", "dark"):
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/evidence-{theme}.png", full_page=True)
        page.click("[data-action=theme]")
