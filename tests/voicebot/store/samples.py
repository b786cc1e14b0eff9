"""Sample cases, and judges that stand for the rulebook."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from voicebot.domain.campaign import Campaign, CampaignState
from voicebot.domain.case import Case, Creditor, Debtor
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.permission import DialRequest
from voicebot.domain.records import Number
from voicebot.store import Store
from voicebot.store.cases import NewCase

NOON = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
MINUTE = dt.timedelta(minutes=1)
CREDITOR = Creditor("demo", "示例消费金融有限公司", "示例客户服务中心", "4000000000")


@dataclass(frozen=True)
class Verdict:
    allowed: bool = True
    rule: str | None = None
    reason: str = "allowed"
    not_before: dt.datetime | None = None
    pack_sha256: str = "0" * 64


def allow(request: DialRequest, now: dt.datetime) -> Verdict:
    return Verdict()


def new_case(n: int, debtor: int | None = None, number: str | None = None) -> NewCase:
    person = n if debtor is None else debtor
    case = Case(
        id=f"C{n:04d}",
        debtor=Debtor(id=f"D{person:04d}", name=f"演示{person}", id_last4="2315", birth_mmdd="0812"),
        creditor=CREDITOR,
        product="消费贷",
        amount_fen=100_000 + n,
        overdue_days=n % 60,
        as_of=dt.date(2026, 11, 24),
    )
    return NewCase(case, (Number(number or f"+86138000{person:05d}"),))


async def plan(store: Store, *news: NewCase, at: dt.datetime = NOON) -> list[int]:
    """Save cases and plan an attempt for each, outside of any campaign."""
    await store.cases.save(news, at)
    ids = [await store.attempts.add(new.case.id, "reminder", at) for new in news]
    return [attempt for attempt in ids if attempt is not None]


async def campaign(store: Store, concurrency: int = 100, id: str = "k1") -> Campaign:
    made = Campaign(id, "十一月提醒", "reminder", CampaignState.DRAFT, NOON, max_concurrency=concurrency)
    await store.campaigns.save(made)
    return made
