"""`python -m benchmarks.fuzz --seconds 60 --json FILE`: attack a user agent that has ten calls up.

Ends with 1 where a fault of ours was met or a call was harmed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.fuzz.attacks import CALLER, Datagrams, Media, stream
from benchmarks.fuzz.victim import STRANGER
from tests.sip.transport.authority import Authority

VICTIM = "127.0.0.1"
#: Seconds in which the peers settle before and after the attack.
SETTLE_S = 1.0
#: Share of a call's packets that may be missing without anybody having noticed.
HEARABLE = 0.005


class Process:
    """A child that answers each line with a line of JSON."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child

    async def line(self) -> Any:
        assert self._child.stdout is not None
        async with asyncio.timeout(30):
            return json.loads(await self._child.stdout.readline())

    async def ask(self, what: str) -> Any:
        assert self._child.stdin is not None
        self._child.stdin.write(f"{what}\n".encode())
        return await self.line()


@asynccontextmanager
async def process(module: str, *arguments: str) -> AsyncIterator[Process]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Process(child)
    finally:
        child.terminate()
        await child.wait()


async def attack(victim: dict[str, int], media: list[int], seconds: float, rate: int, seed: int) -> dict[str, Any]:
    """`rate` datagrams a second beside six streams; what was sent and what came back."""
    loop = asyncio.get_running_loop()
    until, sent, answers = loop.time() + seconds, Counter[str](), Counter[str]()
    target, tls = (VICTIM, victim["udp"]), (VICTIM, victim["tls"])
    crowd: list[Any] = [Datagrams(target, seed + 1), Datagrams(target, seed + 2), Media(media, seed + 3)]
    for one, host in zip(crowd, (CALLER, STRANGER, CALLER), strict=True):
        await loop.create_datagram_endpoint(lambda one=one: one, local_addr=(host, 0))
    streams = [stream(tls if n % 2 else target, seed + 10 + n, bool(n % 2), until, sent, answers) for n in range(6)]
    running = [asyncio.ensure_future(one) for one in streams]
    while (now := loop.time()) < until:
        for number in range(max(1, rate // 100)):
            crowd[number % len(crowd)].attack()
        await asyncio.sleep(max(0.0, 0.01 - (loop.time() - now)))
    await asyncio.gather(*running)
    for one in crowd:
        sent.update(one.sent)
        answers.update(getattr(one, "answers", {}))
        one._transport.close()
    return {"sent": dict(sent), "answers": dict(answers), "messages_per_s": round(sum(sent.values()) / seconds)}


def harmed(rows: list[dict[str, Any]], victim: dict[str, Any]) -> int:
    """Calls that ended, lost more than can be heard, or could not be ended properly."""
    hurt = sum(
        row["state"] != "confirmed" or not row["goodbye"] or row["lost"] > HEARABLE * (row["received"] + row["lost"])
        for row in rows
    )
    return hurt + (len(rows) - victim["friends_up"])


async def run(seconds: float, rate: int, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="bench-fuzz-") as folder:
        certificate, key = Authority(Path(folder)).sign("victim", VICTIM)
        async with process("benchmarks.fuzz.victim", str(certificate), str(key)) as victim:
            ports = await victim.line()
            async with process("benchmarks.fuzz.friends", VICTIM, str(ports["udp"]), str(ports["tls"])) as friends:
                await friends.line()
                await asyncio.sleep(SETTLE_S)
                before, media = await victim.ask("report"), (await victim.ask("media"))["ports"]
                figures = await attack(ports, media, seconds, rate, seed)
                await asyncio.sleep(SETTLE_S)
                after = await victim.ask("report")
                rows = await friends.ask("hang up")
    return {
        "seconds": seconds,
        "seed": seed,
        **figures,
        "faults": after["faults"],
        "calls_up": len(rows),
        "calls_harmed": harmed(rows, after),
        "calls": rows,
        "before": before,
        "after": after,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=int, default=3000, help="datagrams a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures = asyncio.run(run(options.seconds, options.rate, options.seed))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    before, after = figures["before"], figures["after"]
    print(f"{figures['messages_per_s']} messages/s for {options.seconds:.0f} s, seed {options.seed}: {figures['sent']}")
    print(f"answers {figures['answers']}; unreadable {after['unreadable']}, dropped unread {after['dropped_unread']}")
    print(f"faults {figures['faults']}, calls harmed {figures['calls_harmed']} of {figures['calls_up']}")
    print(
        f"log lines {after['log_lines']}, memory {before['memory_kb']} -> {after['memory_kb']} kB, "
        f"files {before['files']} -> {after['files']}, transactions left {after['transactions']}"
    )
    sys.exit(bool(figures["faults"] or figures["calls_harmed"]))


if __name__ == "__main__":
    main()
