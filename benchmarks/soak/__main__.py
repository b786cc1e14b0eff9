"""Calls over a bad network with peers that fall silent and far ends that are killed; what is left behind.

    python -m benchmarks.soak --calls 25 --minutes 30 --json FILE
"""

import argparse
import asyncio
import dataclasses
import json
import subprocess
import sys
import time
from typing import Any, Final

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.soak.near import Holdings, Near

KILL_EVERY_S: Final = 100.0
DOWN_S: Final = 3.0
"""How long the far end stays away once it is killed."""
FORGETTING_S: Final = 45.0
"""Transactions (32 s) and resting ports are gone after this."""


def spawn(module: str, *arguments: str) -> "subprocess.Popen[str]":
    """A process of the soak that has said that it is ready."""
    process = subprocess.Popen([sys.executable, "-m", f"benchmarks.soak.{module}", *arguments],
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout
    if process.stdout.readline().strip() != "ready":
        raise SystemExit(f"{module} did not start; its error is above")
    return process


async def kill_far_ends(until: float, kills: list[float]) -> None:
    """Kill the far end with all its calls from time to time, and start another; the last one stays."""
    loop = asyncio.get_running_loop()
    far = await asyncio.to_thread(spawn, "far")
    try:
        while loop.time() + KILL_EVERY_S < until:
            await asyncio.sleep(KILL_EVERY_S)
            far.kill()
            far.wait()
            kills.append(loop.time())
            await asyncio.sleep(DOWN_S)
            far = await asyncio.to_thread(spawn, "far")
        await asyncio.sleep(max(until + FORGETTING_S - loop.time(), 0))
    finally:
        far.kill()
        far.wait()


async def tell(near: Near, until: float, memory_mb: list[float]) -> None:
    """A line per minute for whoever watches, and the memory in use at that time.

    It grows until the ladders of 500 calls are kept, and must stay there.
    """
    loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
    while loop.time() < until:
        memory_mb.append(Holdings.now().memory_mb)
        minutes = (loop.time() - began) / 60
        print(f"{minutes:5.1f} min: {near.calls} calls, {near.up} up, {memory_mb[-1]:.1f} MB, "
              f"tick p99 {near.wheel.lateness.quantile_ms(0.99):.1f} ms", file=sys.stderr, flush=True)
        await asyncio.sleep(60)


async def soak(calls: int, minutes: float) -> dict[str, Any]:
    near, kills, memory_mb = Near(), list[float](), list[float]()
    await near.start()
    await asyncio.to_thread(lambda: None)  # the loop's own pool of threads is no leak
    loop = asyncio.get_running_loop()
    until = loop.time() + minutes * 60
    killing = asyncio.create_task(kill_far_ends(until, kills))
    await asyncio.gather(*(near.call(2.0) for _ in range(calls)))  # what is made once is made now
    await asyncio.sleep(FORGETTING_S if minutes > 2 else 0)
    before, began = Holdings.now(), time.process_time()
    telling = asyncio.create_task(tell(near, until, memory_mb))
    await asyncio.gather(*(near.keep_calling(until) for _ in range(calls)))
    cpu_s = time.process_time() - began
    await asyncio.gather(killing, telling)
    after, late = Holdings.now(), near.wheel.lateness
    await near.close()
    return {
        "calls_at_a_time": calls, "minutes": minutes, "calls": near.calls, "far_end_killed": len(kills),
        "outcomes": dict(near.outcomes.most_common()), "media": dict(near.media),
        "before": dataclasses.asdict(before), "after": dataclasses.asdict(after), "cpu_s": round(cpu_s, 1),
        "memory_mb_by_minute": memory_mb, "ticks": late.count,
        "ticks_later_than_20_ms": late.later_than(20.0), "ticks_skipped": near.wheel.skipped,
        "tick_late_p99_ms": round(late.quantile_ms(0.99), 2), "tick_late_worst_ms": round(late.worst_ms, 1)}


def show(figures: dict[str, Any]) -> None:
    table = Table("", "", title=f"{figures['calls_at_a_time']} calls at a time for {figures['minutes']:g} minutes",
                  show_header=False)
    for key, value in figures.items():
        pairs = value.items() if isinstance(value, dict) else [("", value)]
        for name, figure in pairs:
            table.add_row(f"{key} {name}".strip().replace("_", " "), str(figure))
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--calls", type=int, default=25)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--loss", type=float, default=0.05, help="the most that the network loses, 0 to 1")
    parser.add_argument("--json", metavar="FILE", help="- for standard output")
    options = parser.parse_args()
    relay = spawn("relay", "--loss", str(options.loss))
    try:
        figures = uvloop.run(soak(options.calls, options.minutes))
    finally:
        relay.terminate()
        network, _ = relay.communicate()
    figures["network"] = json.loads(network or "{}")
    show(figures)
    if options.json:
        with (open(options.json, "w") if options.json != "-" else sys.stdout) as out:
            json.dump(figures, out, indent=2)


if __name__ == "__main__":
    main()
