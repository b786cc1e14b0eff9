"""CPU seconds per call-minute of the softphone gateway, and the delay it adds, at several numbers of calls.

    python -m benchmarks.softphone --calls 1 5 20 --seconds 20 --json FILE
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.softphone.far_end import Browser, Handset, Telephones
from voicebot.softphone.link import ConsoleEnd

_TICKS = os.sysconf("SC_CLK_TCK")
PORT = 45_990
_WAYS = ("line_to_browser_ms", "browser_to_line_ms", "telephone_to_telephone_ms")


async def measure(calls: int, seconds: float) -> dict[str, Any]:
    """One row: so many calls at once between telephones and browsers, and beside them one direct call."""
    with tempfile.TemporaryDirectory(prefix="vb-phone-") as home:
        server = _server(Path(home))
        console = ConsoleEnd(Path(home) / "softphone.sock")
        linking = asyncio.create_task(console.run())
        telephones = Telephones()
        await telephones.start()
        try:
            await _linked(console)
            direct = await telephones.dial(telephones.uri), await telephones.called.get()
            idle_s = await _idle(server.pid, console, calls)
            talks = [await _talk(console, telephones, number) for number in range(calls)]
            before, began = _cpu_s(server.pid), time.monotonic()
            await _bursts(talks, direct, seconds)
            used, lasted = _cpu_s(server.pid) - before, time.monotonic() - began
        finally:
            await telephones.close()
            linking.cancel()
            server.terminate()
            server.wait(20)
    return {
        "calls": calls,
        "cpu_s_per_call_minute": round(used / lasted * 60 / calls, 3),
        "waiting_cpu_s_per_minute": idle_s,
        "line_to_browser_ms": _delay([(one.said, browser.ear.heard) for one, browser in talks]),
        "browser_to_line_ms": _delay([(browser.microphone.said, one.ear.heard) for one, browser in talks]),
        "telephone_to_telephone_ms": _delay([(direct[0].said, direct[1].ear.heard)]),
    }


async def _idle(pid: int, console: ConsoleEnd, calls: int) -> float:
    """Connect a browser more that has no call: CPU seconds per minute that it costs to wait."""
    browser = Browser()
    answer = await console.ask("connect", "idle", "page-idle", sdp=await browser.offer())
    await browser.take(answer["sdp"])
    browser.microphone.stop()  # a page sends nothing between calls
    before, began = _cpu_s(pid), time.monotonic()
    await asyncio.sleep(5)
    used = (_cpu_s(pid) - before) / (time.monotonic() - began) * 60
    await console.ask("off", "idle", "page-idle")
    await browser.connection.close()
    return round(used, 3)


async def _talk(console: ConsoleEnd, telephones: Telephones, number: int) -> tuple[Handset, Browser]:
    agent, session, browser = f"a{number}", f"page-{number:04d}", Browser()
    answer = await console.ask("connect", agent, session, sdp=await browser.offer())
    await browser.take(answer["sdp"])
    async with console.news(agent) as news:

        async def answered() -> None:
            while (await news.get())["event"] != "ringing":
                pass
            await console.ask("answer", agent, session)

        return await telephones.dial(f"sip:{agent}@127.0.0.1:{PORT}", answered), browser


async def _bursts(talks: list[tuple[Handset, Browser]], direct: tuple[Handset, Handset], seconds: float) -> None:
    """A burst each way about once a second, at times that have nothing to do with the beat."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for handset, browser in talks:
            handset.burst()
            browser.microphone.burst()
        direct[0].burst()
        await asyncio.sleep(random.uniform(0.8, 1.2))
    await asyncio.sleep(0.7)


def _delay(ways: list[tuple[list[float], list[float]]]) -> dict[str, float]:
    """From a burst's first frame handed over to its first sound at the other end: median and 95th percentile."""
    found = []
    for said, heard in ways:
        for at in said:
            after = [1000 * (ear - at) for ear in heard if 0 < ear - at < 0.6]
            found += after[:1]
    found.sort()
    if not found:
        return {"p50": float("nan"), "p95": float("nan"), "bursts": 0}
    return {
        "p50": round(statistics.median(found), 1),
        "p95": round(found[int(0.95 * (len(found) - 1))], 1),
        "bursts": len(found),
    }


def _server(home: Path) -> subprocess.Popen[bytes]:
    settings = {"VOICEBOT_HOME": str(home), "VOICEBOT_SOFTPHONE_LISTEN": f"127.0.0.1:{PORT}"}
    log = (home / "log").open("wb")
    command = [sys.executable, "-m", "benchmarks.softphone.server"]
    return subprocess.Popen(command, env={**os.environ, **settings}, stdout=log, stderr=log)


async def _linked(console: ConsoleEnd) -> None:
    for _ in range(600):
        if console.connected:
            return
        await asyncio.sleep(0.05)
    raise RuntimeError("the gateway does not start")


def _cpu_s(pid: int) -> float:
    """User and system time of a process, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table(title="Softphone gateway: Opus in the browser, G.711 on the line")
    ways = ("line → browser", "browser → line", "telephone → telephone")
    for name in ("calls", "CPU s per call-minute", "one browser waiting, CPU s per minute", *ways):
        table.add_column(name, justify="right")
    for row in rows:
        delays = [f"{row[way]['p50']} / {row[way]['p95']} ms" for way in _WAYS]
        table.add_row(
            str(row["calls"]), str(row["cpu_s_per_call_minute"]), str(row["waiting_cpu_s_per_minute"]), *delays
        )
    Console().print(table)


async def _main(counts: list[int], seconds: float, file: Path | None) -> None:
    rows = [await measure(calls, seconds) for calls in counts]
    _show(rows)
    told = {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count()}
    text = json.dumps({**told, "load": os.getloadavg(), "seconds": seconds, "rows": rows}, indent=1)
    if file is not None:
        await asyncio.to_thread(file.write_text, text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 5, 20])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    uvloop.run(_main(given.calls, given.seconds, given.json))
