"""Sample cases and a campaign over them."""

from __future__ import annotations

import datetime as dt

from voicebot.domain.campaign import Campaign, CampaignState
from voicebot.domain.case import Case, Creditor, Debtor
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.records import Number
from voicebot.store import Store
from voicebot.store.cases import NewCase

NOON = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
"""A Tuesday morning on which dialling is allowed."""

CREDITOR = Creditor("demo", "示例消费金融有限公司", "示例客户服务中心", "4000000000")


def new_case(n: int) -> NewCase:
    debtor = Debtor(f"D{n:04d}", f"演示{n}", id_last4="2315", birth_mmdd="0812")
    case = Case(f"C{n:04d}", debtor, CREDITOR, "消费贷", 100_000 + n, 12, NOON.date())
    return NewCase(case, (Number(f"+86138000{n:05d}"),))


async def running_campaign(store: Store, cases: int, concurrency: int = 100) -> None:
    """Cases C0000 … in a campaign k1 that was just started."""
    await store.cases.save([new_case(n) for n in range(cases)], NOON)
    await running_campaign_over(store, concurrency)


async def running_campaign_over(store: Store, concurrency: int = 100) -> None:
    """A campaign k1 over every open case."""
    made = Campaign("k1", "十一月提醒", "reminder", CampaignState.DRAFT, NOON, max_concurrency=concurrency)
    await store.campaigns.save(made)
    await store.campaigns.start("k1", NOON)
