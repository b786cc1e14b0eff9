"""Cases: saved once, changed when they differ, found again; campaigns choose among them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from voicebot.domain.attempt import AttemptState, Outcome
from voicebot.domain.campaign import Campaign, CampaignState, Segment
from voicebot.domain.outcome import Disposition
from voicebot.domain.records import Number
from voicebot.store import Store
from voicebot.store.campaigns import CampaignUnknown
from voicebot.store.cases import CaseFilter, NewCase, Saved

from .samples import MINUTE, NOON, allow, campaign, new_case


async def test_saving_tells_new_from_changed_from_same(store: Store) -> None:
    first, second = new_case(1), new_case(2)
    assert await store.cases.save([first, second], NOON) == [Saved.NEW, Saved.NEW]
    dearer = NewCase(replace(second.case, amount_fen=5), second.numbers)
    assert await store.cases.save([first, dearer], NOON) == [Saved.SAME, Saved.CHANGED]
    assert await store.cases.find("C0002") == dearer.case
    moved = NewCase(first.case, (Number("sip:1@host"),))
    assert await store.cases.save([moved], NOON) == [Saved.CHANGED]
    record = await store.cases.record("C0001")
    assert record is not None
    assert [n.number for n in record.numbers] == ["sip:1@host", "+8613800000001"]


async def test_an_import_does_not_revive_a_dead_number(store: Store) -> None:
    case = new_case(1)
    await store.cases.save([case], NOON)
    assert await store.cases.retire_number("D0001", "+8613800000001")
    assert await store.cases.save([case], NOON) == [Saved.SAME]
    await store.cases.save([NewCase(replace(case.case, amount_fen=7), case.numbers)], NOON)
    record = await store.cases.record("C0001")
    assert record is not None and [n.valid for n in record.numbers] == [False]
    assert await store.attempts.add("C0001", "reminder", NOON) is None, "there is no number to dial"


async def test_search_finds_by_name_number_and_id_and_escapes_wildcards(store: Store) -> None:
    await store.cases.save([new_case(n) for n in range(1, 31)], NOON)
    for words, ids in [("演示17", ["C0017"]), ("13800000022", ["C0022"]), ("c0003", ["C0003"]), ("%", []),
                       ("0022", ["C0022"]), ("29", ["C0029"]), ("+86 138-0000-0009", ["C0009"])]:  # fmt: skip
        found = await store.cases.search(CaseFilter(words))
        assert [record.case.id for record in found.cases] == ids, words
    assert [c.id for c in await store.cases.by_number("+8613800000005")] == ["C0005"]


async def test_closed_cases_are_neither_planned_nor_leased(store: Store) -> None:
    await store.cases.save([new_case(n) for n in range(3)], NOON)
    await campaign(store)
    assert await store.cases.set_status("C0001", "closed", NOON)
    assert await store.campaigns.start("k1", NOON) == 2
    await store.cases.set_status("C0002", "suspended", NOON)
    assert [a.case.id for a in await store.attempts.lease("w", 9, NOON, allow)] == ["C0000"]
    assert await store.attempts.cancel("C0002", "recalled", NOON) == 1


async def test_a_segment_restricts_a_campaign(store: Store) -> None:
    await store.cases.save([new_case(n) for n in range(20)], NOON)
    segment = Segment(min_overdue_days=5, max_overdue_days=12, max_amount_fen=100_010, creditor_id="demo")
    await store.campaigns.save(Campaign("k", "k", "reminder", CampaignState.DRAFT, NOON, segment))
    assert (await store.campaigns.find("k")).segment == segment  # type: ignore[union-attr]
    assert await store.campaigns.start("k", NOON) == 6
    assert await store.campaigns.start("k", NOON) == 0, "starting again plans nothing twice"
    named = Segment(case_ids=("C0001", "C0003"))
    await store.campaigns.save(Campaign("n", "n", "reminder", CampaignState.DRAFT, NOON, named))
    assert await store.campaigns.start("n", NOON) == 2


async def test_a_stopped_campaign_dials_no_more_and_can_go_on(store: Store) -> None:
    await store.cases.save([new_case(n) for n in range(4)], NOON)
    await campaign(store)
    await store.campaigns.start("k1", NOON)
    (one,) = await store.attempts.lease("w", 1, NOON, allow)
    await store.campaigns.stop("k1", NOON)
    assert await store.attempts.lease("w", 9, NOON, allow) == []
    await store.attempts.settle(one.id, "w", Outcome(Disposition.REFUSAL, talked_to=True), NOON)
    assert await store.campaigns.start("k1", NOON + MINUTE) == 0
    assert len(await store.attempts.lease("w", 9, NOON + MINUTE, allow)) == 3
    progress = await store.campaigns.progress("k1")
    assert (progress.cases, progress.cases_done, progress.share_done) == (4, 1, 0.25)
    assert progress.attempts == {AttemptState.SETTLED: 1, AttemptState.LEASED: 3}
    assert progress.dispositions == {"refusal": 1}
    with pytest.raises(CampaignUnknown):
        await store.campaigns.stop("none", NOON)


async def test_a_campaign_without_work_is_finished(store: Store) -> None:
    await store.cases.save([new_case(1)], NOON)
    await campaign(store)
    await store.campaigns.start("k1", NOON)
    assert await store.campaigns.finish_done(NOON) == []
    (one,) = await store.attempts.lease("w", 1, NOON, allow)
    await store.attempts.settle(one.id, "w", Outcome(Disposition.DISPUTE, talked_to=True), NOON)
    assert await store.campaigns.finish_done(NOON) == ["k1"]
    (progress,) = await store.campaigns.all()
    assert progress.campaign.state is CampaignState.FINISHED
