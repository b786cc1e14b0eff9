"""The campaign under measurement: so many debtors that may be rung at any hour, so many of them at once."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.turns.server import CREDITOR, Server, case_of
from voicebot.domain.attempt import Consent
from voicebot.domain.campaign import Campaign, CampaignState, Segment
from voicebot.store.database import Database
from voicebot.store.store import Store

CAMPAIGN: Final = "capacity"
ENDS_WITHIN_S: Final = 120.0
_BATCH: Final = 50


async def prepare(store: Store, far_end: str, cases: int) -> None:
    """Cases whose debtors agreed to calls at any hour, and the campaign, which does not run yet."""
    now = dt.datetime.now(dt.UTC)
    await store.cases.save_creditor(CREDITOR)
    for first in range(0, cases, _BATCH):
        numbers = range(first, min(first + _BATCH, cases))
        made = [case_of(number, far_end, now) for number in numbers]
        await store.cases.save(made, now)
        for one in made:
            for consent in _any_hour(one.case.debtor.id, now):
                await store.contacts.agree(consent)
    await store.campaigns.save(_campaign(1, now))


async def keep_at(store: Store, calls: int, over_s: float) -> None:
    """Start it, and let it grow to so many calls at once evenly over so many seconds."""
    began, now = time.monotonic(), dt.datetime.now(dt.UTC)
    await store.campaigns.start(CAMPAIGN, now)
    while True:
        share = min(1.0, (time.monotonic() - began) / max(over_s, 0.001))
        await store.campaigns.save(_campaign(max(1, round(calls * share)), now))
        if share == 1.0:
            return
        await asyncio.sleep(max(1.0, over_s / calls))


async def finish(server: Server) -> None:
    """Dial no more, and wait until all calls are over and written down."""
    await server.store.campaigns.pause(CAMPAIGN, dt.datetime.now(dt.UTC))
    deadline = time.monotonic() + ENDS_WITHIN_S
    while time.monotonic() < deadline:
        if (await server.store.load.now(dt.datetime.now(dt.UTC))).calls_running == 0:
            return
        await asyncio.sleep(1.0)


@dataclass(slots=True)
class Wakes:
    """How often each channel woke its listeners."""

    by_channel: dict[str, int]


@contextlib.asynccontextmanager
async def wakes(server: Server, channels: Sequence[str]) -> AsyncIterator[Wakes]:
    """Count notifications meanwhile."""
    seen = Wakes(dict.fromkeys(channels, 0))

    async def count(channel: str) -> None:
        async for payload in Database(server.url).listen(channel):
            seen.by_channel[channel] += payload != ""

    tasks = [asyncio.create_task(count(channel)) for channel in channels]
    try:
        yield seen
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _campaign(at_once: int, now: dt.datetime) -> Campaign:
    made = Campaign(CAMPAIGN, "容量测量", "reminder", CampaignState.DRAFT, now, Segment(creditor_id=CREDITOR.id))
    return replace(made, max_concurrency=at_once)


def _any_hour(debtor: str, now: dt.datetime) -> tuple[Consent, ...]:
    """Two bands of 24 hours, as a call must end inside one, and holidays: a machine is measured at any time."""
    bands = ("06:00", "18:00")
    hours = [Consent(debtor, "other_hours", now, {"from": at, "to": at}) for at in bands]
    return *hours, Consent(debtor, "holiday", now)
