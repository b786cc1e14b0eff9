"""The board of dialling: what it tells, who may press its buttons, and that they do what they say."""

from __future__ import annotations

import asyncio
import datetime as dt

import httpx

from tests.voicebot.campaign.samples import NOON, running_campaign
from tests.voicebot.store.samples import allow
from voicebot.console.access import rule_for
from voicebot.console.dialling_board import DiallingBoard
from voicebot.console.dialling_data import DiallingData
from voicebot.console.pages.dialling import board_markup
from voicebot.console.queries import Account
from voicebot.console.shell import Visit
from voicebot.console.words import Words
from voicebot.domain.attempt import Outcome
from voicebot.domain.campaign import CampaignState
from voicebot.domain.clock import FixedClock
from voicebot.domain.outcome import Disposition
from voicebot.domain.pace import BreakerState
from voicebot.store import Store


def test_halting_and_going_on_over_rest(admin: httpx.Client) -> None:
    assert admin.get("/api/dialling").json()["halted"] is None
    assert admin.post("/api/dialling/halt", json={"why": "线路异常"}).status_code == 200
    halted = admin.get("/api/dialling").json()["halted"]
    assert (halted["by"], halted["why"]) == ("demo", "线路异常")
    page = admin.get("/dialling")
    assert page.status_code == 200 and "线路异常" in page.text
    assert admin.post("/api/dialling/go-on").status_code == 200
    assert admin.get("/api/dialling").json()["halted"] is None
    assert admin.post("/api/dialling/campaigns/none/pause").status_code == 404


def test_only_who_may_start_campaigns_may_halt_them() -> None:
    assert rule_for("POST", "/api/dialling/halt") == rule_for("GET", "/dialling") == "campaigns"
    assert rule_for("POST", "/api/dialling/campaigns/k1/pause") == "campaigns"


class Data:
    def __init__(self, store: Store) -> None:
        self.dialling = DiallingData(store, FixedClock(NOON))


async def test_the_board_tells_what_goes_on_and_why_it_stands_still(store: Store) -> None:
    await running_campaign(store, cases=8)
    for attempt in await store.attempts.lease("w", 5, NOON, allow):
        await store.attempts.place(attempt.id, "w", f"call-{attempt.id}", NOON)
        await store.attempts.settle(attempt.id, "w", Outcome(Disposition.FAILED), NOON)
    (attempt,) = await store.attempts.lease("w", 1, NOON, allow)
    await store.attempts.place(attempt.id, "w", "call-x", NOON)
    view = await Data(store).dialling.view()
    (one,) = view.campaigns
    assert one.pulse.flow.ringing == 1 and one.room is None and view.load.attempts_due == 2
    assert one.pulse.breaker.state is BreakerState.OPEN
    words = Words("zh")
    visit = Visit(None, words, Account("demo", "admin"))  # type: ignore[arg-type]
    drawn = str(board_markup(visit, view))
    assert "已熔断" in drawn and "/api/dialling/campaigns/k1/pause" in drawn and "十一月提醒" in drawn


async def test_pages_are_told_at_once_when_somebody_pauses(store: Store) -> None:
    await running_campaign(store, cases=2)
    data = Data(store)
    board = DiallingBoard(data, every_s=60)
    board.watch()
    following = asyncio.create_task(board.run())
    try:
        async with asyncio.timeout(60):
            while board.version == 0:  # noqa: ASYNC110 - the board is what is waited for
                await asyncio.sleep(0.01)
            seen = board.version
            await data.dialling.pause("k1")
            while board.version == seen:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    finally:
        following.cancel()
    assert board.view.campaigns[0].pulse.state is CampaignState.PAUSED and board.view.campaigns[0].room == 0
    assert board.view.at - NOON == dt.timedelta(0)
