"""A console and a headless Chromium for tests that look at the pages. Without Chromium they say so and are skipped."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.voicebot.console.day import PASSWORD
from tests.voicebot.console.served import Served, serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE_MS = 120_000
"""For whatever must come at all: a busy machine is no failure."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.slow)
            if item.get_closest_marker("alone") is None:
                item.add_marker(pytest.mark.realtime)


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    if CHROMIUM is None:
        why = "PAGES NOT TESTED: there is no Chromium (Debian: apt-get install chromium)"
        reporter = request.config.pluginmanager.get_plugin("terminalreporter")
        print(f"\n{why}", file=sys.stderr) if reporter is None else reporter.write_line(f"\n{why}", red=True)
        pytest.skip(why)
    # Of one module, not of the session: while Playwright runs, no asynchronous test can have a loop of its own.
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        launched.on("context", lambda context: context.set_default_timeout(PATIENCE_MS))
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def console(browser: Browser, postgres: str) -> Iterator[Served]:
    with serving(postgres, past_calls=5) as served:
        yield served


@pytest.fixture(scope="module")
def cookies(browser: Browser, console: Served) -> list[dict[str, object]]:
    """The session of a logged-in administrator."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{console.url}/login")
    page.fill("input[name=username]", "demo")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector(".side")
    found = [dict(cookie) for cookie in context.cookies() if cookie.get("name") == "voicebot_session"]
    context.close()
    return found


@pytest.fixture
def page(browser: Browser, console: Served, cookies: list[dict[str, object]]) -> Iterator[Page]:
    """A logged-in tab; the test fails if a script fails in it or it asks another host for anything."""
    context = browser.new_context(base_url=console.url, viewport={"width": 1440, "height": 900}, locale="zh-CN")
    context.add_cookies(cookies)  # type: ignore[arg-type]
    tab = context.new_page()
    broken: list[str] = []
    tab.on("pageerror", lambda error: broken.append(f"script failed: {error}"))
    tab.on("request", lambda sent: None if _own(sent.url, console) else broken.append(f"asked {sent.url}"))
    yield tab
    context.close()
    assert broken == []


def _own(url: str, console: Served) -> bool:
    return url.startswith((console.url, console.url.replace("http:", "ws:"), "data:", "blob:"))
