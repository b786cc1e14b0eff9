"""The page of evidence in a real browser: the log is whole, a hold stands, and a verification leaves an operation."""

from __future__ import annotations

import os

import httpx
import psycopg
from playwright.sync_api import Page, expect

from tests.voicebot.console.served import Served
from voicebot.store.urls import conninfo

SHOTS = os.environ.get("VOICEBOT_SHOTS", "")
"""A folder for pictures of the page in both themes."""


def test_what_was_done_stands_on_the_page(page: Page, console: Served) -> None:
    with httpx.Client(
        base_url=console.url, headers={"Authorization": f"Bearer {console.token}"}, timeout=60
    ) as program:
        case_id = program.get("/api/calls/call-0000").json()["case_id"]
        assert program.post(f"/api/cases/{case_id}/holds", json={"reason": "诉讼 (2026) 123"}).status_code == 200
        assert program.post("/api/calls/call-0000/verify").json()["valid"]
    upload(console.database)
    page.goto("/evidence")
    expect(page.locator("main.main")).to_contain_text("上传受阻，正在重试")
    expect(page.locator("main.main")).to_contain_text("NoSuchBucket")
    expect(page.locator("main.main")).to_contain_text("一致，未被改动")
    expect(page.locator("main.main")).to_contain_text("诉讼 (2026) 123")
    expect(page.locator("main.main")).to_contain_text("核验")
    expect(page.locator(f"a[href='/cases/{case_id}']").first).to_be_visible()
    for theme in ("light", "dark"):
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/evidence-{theme}.png", full_page=True)
        page.click("[data-action=theme]")


def upload(database_url: str) -> None:
    """Two calls lie in the object store, one can't get there."""
    query = """
        INSERT INTO uploads (call_id, bundle, queued_at, next_at, size, verified_at, error)
        SELECT id, bundle, now() - interval '3 minutes', now(), 812000, CASE WHEN n > 1 THEN now() END,
            CASE WHEN n = 1 THEN 's3://recordings: the store refuses: NoSuchBucket; make the bucket' ELSE '' END
        FROM (SELECT id, bundle, row_number() OVER (ORDER BY id) AS n FROM calls WHERE bundle IS NOT NULL) AS numbered
        WHERE n <= 3 ON CONFLICT DO NOTHING
    """
    with psycopg.connect(conninfo(database_url)) as connection:
        connection.execute(query.encode())
