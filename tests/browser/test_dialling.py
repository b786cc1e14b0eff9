"""The board of dialling in a real browser: it follows by push, its buttons ask first, and everybody sees the same."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.voicebot.console.served import Served
from voicebot.store.urls import conninfo


def test_a_halt_in_one_tab_is_seen_in_the_other_without_reloading(page: Page, console: Served) -> None:
    page.goto("/dialling")
    other = page.context.new_page()
    other.goto(f"{console.url}/dialling")
    page.get_by_role("button", name="全部暂停").click()
    page.locator("dialog").get_by_role("button", name="全部暂停").click()
    expect(other.get_by_text("外呼已全部暂停")).to_be_visible()
    other.get_by_role("button", name="恢复外呼").click()
    expect(page.get_by_role("button", name="全部暂停")).to_be_visible()
    other.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_campaign_is_paused_and_goes_on(page: Page, console: Served, theme: str) -> None:
    with psycopg.connect(conninfo(console.database), autocommit=True) as connection:
        connection.execute("UPDATE campaigns SET state = 'running', mode = 'predictive' WHERE id = "
                           "(SELECT id FROM campaigns ORDER BY id LIMIT 1)")  # fmt: skip
        row = connection.execute("SELECT id FROM campaigns ORDER BY id LIMIT 1").fetchone()
    assert row is not None
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.goto("/dialling")
    line = page.locator(f'tr[data-campaign="{row[0]}"]')
    expect(line).to_contain_text("预测式")
    if shots := os.environ.get("VOICEBOT_SHOTS"):
        page.screenshot(path=Path(shots) / f"dialling-{theme}.png", full_page=True)
    line.get_by_role("button", name="暂停").click()
    expect(line).to_contain_text("已暂停")
    line.get_by_role("button", name="继续").click()
    expect(line.get_by_role("button", name="暂停")).to_be_visible()
