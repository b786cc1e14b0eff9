"""One worker's share of a rush: `python -m tests.voicebot.handoff.claimer URL call,call,…` prints who got whom."""

from __future__ import annotations

import asyncio
import json
import sys

from voicebot.domain.clock import SystemClock
from voicebot.handoff.desk import Seat, Wanted
from voicebot.handoff.store_desk import StoreDesk
from voicebot.store import Store


async def claim(desk: StoreDesk, call_id: str) -> tuple[str, str]:
    """Look until there is somebody."""
    wanted = Wanted(call_id, "asked")
    while not isinstance(found := await desk.claim(wanted, ()), Seat):
        await desk.news(0.1)
    return call_id, found.id


async def main(url: str, calls: list[str]) -> None:
    async with Store.from_url(url) as store:
        desk = StoreDesk(store, SystemClock())
        print(json.dumps(await asyncio.gather(*(claim(desk, call) for call in calls))))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2].split(",")))
