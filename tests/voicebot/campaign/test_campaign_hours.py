"""A campaign takes the cases of its segment and reminds them in its own hours, inside those of the law."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from voicebot.campaign.permission import judge_by
from voicebot.domain.attempt import Purpose
from voicebot.domain.campaign import Campaign, CampaignState, Segment
from voicebot.domain.clock import SHANGHAI
from voicebot.store import Store
from voicebot.store.cases import NewCase

from .samples import NOON, new_case


def at(clock: str, day: int = 24) -> dt.datetime:
    return dt.datetime.combine(dt.date(2026, 11, day), dt.time.fromisoformat(clock), SHANGHAI)


def overdue(n: int, days: int, yuan: int) -> NewCase:
    new = new_case(n)
    return NewCase(replace(new.case, overdue_days=days, amount_fen=yuan * 100), new.numbers)


AFTERNOON = Campaign(
    "k", "三十到六十天", "reminder", CampaignState.DRAFT, NOON,
    segment=Segment(min_overdue_days=30, max_overdue_days=60, min_amount_fen=500_000, max_amount_fen=1_000_000),
    max_concurrency=100, hours=(dt.time(15), dt.time(18)),
)  # fmt: skip


async def test_thirty_to_sixty_days_five_to_ten_thousand_yuan_three_to_six_in_the_afternoon(store: Store) -> None:
    cases = [
        overdue(1, 30, 5_000), overdue(2, 60, 10_000), overdue(3, 45, 7_500),  # inside, at the edges and between
        overdue(4, 29, 7_500), overdue(5, 61, 7_500), overdue(6, 45, 4_999), overdue(7, 45, 10_001),
    ]  # fmt: skip
    await store.cases.save(cases, NOON)
    await store.campaigns.save(AFTERNOON)
    assert (await store.campaigns.find("k") or cases) == AFTERNOON
    assert await store.campaigns.start("k", NOON) == 3

    for closed in (NOON, at("14:59"), at("18:00"), at("19:30")):
        assert await store.attempts.lease("w", 10, closed, judge_by()) == []
    leased = await store.attempts.lease("w", 10, at("15:00"), judge_by())
    assert {attempt.case.id for attempt in leased} == {"C0001", "C0002", "C0003"}


async def test_what_was_agreed_on_has_its_own_time(store: Store) -> None:
    await store.cases.save([overdue(1, 45, 7_500)], NOON)
    await store.campaigns.save(AFTERNOON)
    await store.campaigns.start("k", NOON)
    await store.attempts.cancel("C0001", "rung by a person", NOON)
    await store.attempts.add("C0001", "reminder", NOON, purpose=Purpose.CALLBACK, campaign_id="k")
    assert len(await store.attempts.lease("w", 10, at("10:30"), judge_by())) == 1
