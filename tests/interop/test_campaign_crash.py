"""A campaign of `voicebot serve` while its processes are killed: nobody is rung twice, and nobody's call is lost."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Callable

from sip.call import Call
from sip.message import Uri
from voicebot.domain.attempt import Attempt, AttemptState, Consent
from voicebot.domain.campaign import Campaign, CampaignState, Segment
from voicebot.domain.case import Case, Creditor, Debtor, Salutation
from voicebot.domain.clock import SystemClock
from voicebot.domain.outcome import Disposition
from voicebot.domain.records import Number
from voicebot.evidence.verify import verify_bundle
from voicebot.store import Store
from voicebot.store.cases import NewCase

from .installation import Installation
from .station import Station, station

CASES = 9
LENDER = Creditor("crash-bank", "示范消费金融有限公司", "示范服务中心", "4008001234")
PATIENCE_S = 120.0


async def test_nobody_is_rung_twice_and_nobody_is_forgotten(served: Installation) -> None:
    rung: Counter[str] = Counter()

    async def answers_and_leaves(call: Call) -> None:
        rung[Uri.parse(call.local_uri).user or ""] += 1
        call.ring()
        await asyncio.sleep(0.2)
        await call.answer()
        await asyncio.sleep(1.5)
        await call.hangup()

    before = served.recordings()
    async with station(takes=answers_and_leaves) as debtors, Store.from_url(served.database_url) as store:
        await begin(store, debtors)
        await until(lambda: len(rung) >= 2)
        served.kill("voicebot.control")
        await until(lambda: len(rung) >= 4)
        served.kill("line_process")
        await served.ready(60)
        served.kill("voicebot.control")
        settled = await all_settled(store)
    assert max(rung.values()) == 1, rung
    missed = {name for name in names() if rung[name] == 0}
    assert len(missed) <= 3, "more calls were lost than the line had under way"
    assert all(settled[name].disposition is Disposition.FAILED for name in missed), settled
    bundles = [folder / f"{folder.name}.zip" for folder in served.recordings() - before]
    assert len(bundles) >= CASES - len(missed)
    for bundle in bundles:
        await until(bundle.exists)
        assert verify_bundle(bundle).failures == ()


async def begin(store: Store, debtors: Station) -> None:
    """Everybody has agreed to be rung at any hour."""
    now = SystemClock().now()
    await store.cases.save_creditor(LENDER)
    await store.cases.save([case_of(name, debtors.port, now) for name in names()], now)
    for name in names():
        for hour in ("06:00", "18:00"):
            await store.contacts.agree(Consent(name, "other_hours", now, {"from": hour, "to": hour}))
        await store.contacts.agree(Consent(name, "holiday", now))
    segment = Segment(creditor_id=LENDER.id)
    campaign = Campaign("crash", "崩溃演练", "reminder", CampaignState.DRAFT, now, segment, max_concurrency=3)
    await store.campaigns.save(campaign)
    await store.campaigns.start("crash", now)


def names() -> list[str]:
    return [f"crash-{number}" for number in range(1, CASES + 1)]


def case_of(name: str, port: int, now: dt.datetime) -> NewCase:
    debtor = Debtor(name, "李振海", Salutation.MR, "2315", "0812")
    case = Case(name, debtor, LENDER, "消费分期", 126_800, 12, now.date())
    return NewCase(case, (Number(f"sip:{name}@127.0.0.1:{port}"),))


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(round(PATIENCE_S / 0.1)):
        if holds():
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"not within {PATIENCE_S} s")


async def all_settled(store: Store) -> dict[str, Attempt]:
    """Each case's first attempt, as soon as all are settled."""
    for _ in range(round(PATIENCE_S / 0.5)):
        firsts = {name: (await store.attempts.of_case(name))[-1] for name in names()}
        if all(attempt.state is AttemptState.SETTLED for attempt in firsts.values()):
            return firsts
        await asyncio.sleep(0.5)
    raise AssertionError(f"after {PATIENCE_S} s: {firsts}")
