"""Make the pictures of the README from a real run: `python docs/images/make.py` (needs Chromium and a Chinese font).

Runs `voicebot demo`, photographs the terminal and the console, and writes PNG files beside this file.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

HERE = Path(__file__).parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
COLUMNS, LINES = 132, 48
# Lines and ticks come from a font in which they are half as wide as a Chinese character.
PAGE = """<style>@font-face {{ font-family: Lines; src: local('DejaVu Sans Mono'); size-adjust: 83.06%;
unicode-range: U+00B7, U+2500-259F, U+2714, U+2718 }}
pre {{ display: inline-block; margin: 0; padding: 18px 24px;
font: 15px/1.3 Lines, 'Noto Sans Mono CJK SC', monospace }}</style>
<body style="margin:0;background:{background};color:{foreground}"><pre>{code}</pre>"""
LOGIN = re.compile(r"(http://[\d.:]+).*用户\s+(\S+)\s+密码\s+(\S+)")


class Demo:
    """`voicebot demo` in a terminal of its own; `screen` is all it wrote."""

    def __init__(self, calls: int, home: Path) -> None:
        self.screen = ""
        master, slave = pty.openpty()
        environment = {**os.environ, "COLUMNS": str(COLUMNS), "LINES": str(LINES), "TERM": "xterm-256color"}
        command = [sys.executable, "-m", "voicebot.cli", "demo", "--calls", str(calls), "--home", str(home)]
        command += ["--json", str(home / "demo.json")]
        self._process = subprocess.Popen(command, stdout=slave, stderr=slave, stdin=slave, env=environment)
        os.close(slave)
        threading.Thread(target=self._read, args=(master,), daemon=True).start()

    def _read(self, master: int) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(master, 65536):
                self.screen += data.decode(errors="replace")

    def wait_for(self, pattern: re.Pattern[str], timeout_s: float) -> re.Match[str]:
        """Wait until the screen holds `pattern`; SystemExit with the screen's end when it never does."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self._process.poll() is None:
            if found := pattern.search(Text.from_ansi(self.screen[-4000:].replace("\r", "")).plain):
                return found
            time.sleep(0.5)
        raise SystemExit(f"the demonstration did not get there:\n{self.screen[-2000:]}")

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)


def terminal_page(screen: str) -> str:
    """The last table of the screen, as a page."""
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"))  # noqa: SIM115
    start = screen.rfind("演示结果")
    start = screen.rfind("\n", 0, start)
    console.print(Text.from_ansi("$ make demo\n" + screen[start:].replace("\r", "").strip("\n")))
    return console.export_html(theme=MONOKAI, inline_styles=True, code_format=PAGE)


async def photograph(screen: str, address: str, user: str, password: str, report: dict[str, Any]) -> None:
    """Terminal, list of calls, campaigns, and the pages of two calls, one in each theme."""
    calls = {call["persona"]: call["call_id"] for call in report["calls"]}
    terminal = terminal_page(screen)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        picture = await browser.new_page(viewport={"width": 1500, "height": 620})
        await picture.set_content(terminal)
        await picture.locator("pre").screenshot(path=HERE / "demo-terminal.png")
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        await shot(page, f"{address}/login", "console-login.png")
        await page.locator("input[name=username]").fill(user)
        await page.locator("input[name=password]").fill(password)
        await page.locator("button[type=submit]").click()
        await page.wait_for_url(f"{address}/")
        await shot(page, f"{address}/calls", "console-calls.png")
        await shot(page, f"{address}/calls/{calls.get('p03') or next(iter(calls.values()))}", "console-call.png")
        await shot(page, f"{address}/campaigns", "console-campaigns.png")
        await shot(page, f"{address}/scripts", "console-scripts.png")
        await shot(page, f"{address}/reports", "console-reports.png")
        await shot(page, f"{address}/review/{calls.get('p03') or next(iter(calls.values()))}", "console-workbench.png")
        await shot(page, f"{address}/search?text=还款", "console-search.png")
        await shot(page, f"{address}/account", "console-account.png")
        await shot(page, f"{address}/access", "console-access.png")
        await designer(page, address)
        await case_pictures(page, address, await first_case(page, address))
        await page.emulate_media(color_scheme="dark")
        await shot(page, f"{address}/calls/{calls.get('p02') or next(iter(calls.values()))}", "console-call-dark.png")
        await browser.close()


async def designer(page: Page, address: str) -> None:
    """A call script coloured by simulated calls, with a chat beside it."""
    await page.goto(f"{address}/scripts/reminder")
    await page.locator(".flow .card").first.wait_for(timeout=60_000)
    await page.click("[data-side-tab=chat]")
    await page.locator("[data-chat-form]").wait_for(timeout=60_000)
    for count, text in enumerate(("我是", "三三一八", "下周五还"), 1):
        await page.fill("[data-chat-form] [name=say]", text)
        await page.keyboard.press("Enter")
        await page.locator(".chat .callee").nth(count - 1).wait_for()
        await page.wait_for_timeout(800)
    await page.click("[role=tab][data-tab=simulate]")
    await page.fill("[data-simulate] [name=count]", "200")
    await page.click("[data-simulate] [type=submit]")
    await page.locator("[data-sim-figures]").wait_for(timeout=180_000)
    await page.screenshot(path=HERE / "console-script-simulation.png")
    await page.click("[role=tab][data-tab=flow]")
    await page.click("[data-card=verify]")
    await page.click("[data-side-tab=chat]")
    await page.wait_for_timeout(1500)
    await page.screenshot(path=HERE / "console-script.png")


async def first_case(page: Page, address: str) -> str:
    """A case to which something has happened."""
    found = await (await page.request.get(f"{address}/api/cases?order=updated&limit=50")).json()
    return str(max(found["cases"], key=lambda case: case["attempts"])["case_id"])


async def case_pictures(page: Page, address: str, case_id: str) -> None:
    """The example file on its way in, with a heading nobody knows, and the page of one case."""
    text = (HERE.parent / "examples" / "cases.csv").read_text(encoding="utf-8-sig")
    content = text.replace("欠款金额", "应还总额（元）", 1).replace("性别", "备注", 1).encode("gb18030")
    await page.goto(f"{address}/cases/import")
    await page.fill("[data-creditor]", "星河消费金融有限公司")
    file: Any = {"name": "十一月逾期.csv", "mimeType": "text/csv", "buffer": content}
    await page.set_input_files("[data-case-file] input", file)
    await page.locator("[data-plan]").wait_for(timeout=60_000)
    await page.screenshot(path=HERE / "console-import.png", full_page=True)
    await shot(page, f"{address}/cases/{case_id}", "console-case.png")


async def shot(page: Page, url: str, name: str) -> None:
    await page.goto(url)
    await page.wait_for_timeout(2500)
    await page.screenshot(path=HERE / name)


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="voicebot-pictures-"))
    demo = Demo(int(sys.argv[1]) if len(sys.argv) > 1 else 8, home)
    try:
        address, user, password = demo.wait_for(LOGIN, 600).groups()
        report = json.loads((home / "demo.json").read_text(encoding="utf-8"))
        asyncio.run(photograph(demo.screen, address, user, password, report))
    finally:
        demo.stop()


if __name__ == "__main__":
    main()
