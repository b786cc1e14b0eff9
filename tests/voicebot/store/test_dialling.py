"""What holds a campaign's calls back: its mode, its breaker, its callers, a pause, a halt; and what is taken back."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from dataclasses import replace

import pytest

from voicebot.campaign.dialler import PACING
from voicebot.domain.attempt import Attempt, AttemptState, Caps, Outcome, Purpose
from voicebot.domain.campaign import CampaignState
from voicebot.domain.outcome import Disposition
from voicebot.domain.pace import CampaignMode
from voicebot.domain.records import AgentRecord, CallRecord
from voicebot.store import Store
from voicebot.store.commands import DialOrdered
from voicebot.store.dialling import WITHDRAWN

from .samples import MINUTE, NOON, allow, campaign, new_case

SECOND = dt.timedelta(seconds=1)
FAILED = Outcome(Disposition.FAILED)


async def begin(store: Store, cases: int = 12, id: str = "k1", **changes: object) -> None:
    await store.cases.save([new_case(n) for n in range(cases)], NOON)
    made = await campaign(store, id=id)
    await store.campaigns.save(replace(made, **changes))  # type: ignore[arg-type]
    await store.campaigns.start(id, NOON)


async def people(store: Store, count: int) -> None:
    for n in range(count):
        await store.agents.save(AgentRecord(f"a{n}", f"坐席{n}", f"sip:a{n}@h", presence="ready", presence_at=NOON))


@pytest.mark.parametrize(
    ("mode", "free", "leased"),
    [
        (CampaignMode.ROBOT, 0, 10),
        (CampaignMode.PREVIEW, 5, 0),
        (CampaignMode.PROGRESSIVE, 0, 0),
        (CampaignMode.PROGRESSIVE, 3, 3),
        (CampaignMode.HAND_OVER, 0, 0),
        (CampaignMode.PREDICTIVE, 0, 0),
    ],
)
async def test_a_mode_says_how_many_calls_begin(store: Store, mode: CampaignMode, free: int, leased: int) -> None:
    await begin(store, mode=mode)
    await people(store, free)
    assert len(await store.attempts.lease("w", 10, NOON, allow, pacing=PACING)) == leased
    if mode is CampaignMode.PROGRESSIVE:
        assert await store.attempts.lease("w", 10, NOON, allow, pacing=PACING) == [], "they are on their way"


async def test_two_campaigns_do_not_both_count_on_the_same_people(store: Store) -> None:
    await begin(store, cases=6, mode=CampaignMode.PROGRESSIVE)
    await begin(store, cases=12, id="k2", mode=CampaignMode.PROGRESSIVE)
    await people(store, 4)
    leased = await store.attempts.lease("w", 10, NOON, allow, pacing=PACING)
    assert len(leased) == 4


async def test_failures_in_a_row_rest_a_campaign_and_one_call_tries_again(store: Store) -> None:
    await begin(store)
    for attempt in await store.attempts.lease("w", 5, NOON, allow, pacing=PACING):
        await store.attempts.place(attempt.id, "w", f"c{attempt.id}", NOON)
        await store.attempts.settle(attempt.id, "w", FAILED, NOON + SECOND)
    assert await store.attempts.lease("w", 9, NOON + 2 * SECOND, allow, pacing=PACING) == []
    trial = await store.attempts.lease("w", 9, NOON + MINUTE, allow, pacing=PACING)
    assert len(trial) == 1
    assert await store.attempts.lease("w", 9, NOON + MINUTE, allow, pacing=PACING) == [], "one at a time"
    await store.attempts.place(trial[0].id, "w", "trial", NOON + MINUTE)
    await store.attempts.settle(trial[0].id, "w", Outcome(Disposition.NO_ANSWER), NOON + MINUTE)
    assert len(await store.attempts.lease("w", 9, NOON + MINUTE, allow, pacing=PACING)) == 6


async def test_numbers_of_ours_are_shown_in_turn_and_no_more_often_than_they_may(store: Store) -> None:
    await begin(store, callers=("+8610001", "+8610002"), calls_per_caller=3)
    leased = [*await store.attempts.lease("w", 3, NOON, allow), *await store.attempts.lease("w", 9, NOON, allow)]
    assert Counter(attempt.shows for attempt in leased) == {"+8610001": 3, "+8610002": 3}
    assert await store.attempts.lease("w", 9, NOON + MINUTE, allow) == []
    await store.attempts.release(leased[0].id, "w", NOON)
    (again,) = await store.attempts.lease("w", 9, NOON + MINUTE, allow)
    assert again.shows == leased[0].shows
    tomorrow = NOON + dt.timedelta(days=1)
    assert len(await store.attempts.lease("w", 9, tomorrow, allow)) == 6


async def test_a_pause_and_a_halt_keep_everything_waiting(store: Store) -> None:
    await begin(store)
    assert await store.campaigns.pause("k1", NOON) and not await store.campaigns.pause("k1", NOON)
    assert await store.attempts.lease("w", 9, NOON, allow) == []
    assert await store.campaigns.resume("k1")
    await store.dialling.halt("demo", NOON, "故障")
    await store.attempts.add("C0001", "reminder", NOON, purpose=Purpose.CALLBACK)
    assert await store.attempts.lease("w", 9, NOON, allow) == [], "what belongs to no campaign neither"
    halt = await store.dialling.halted()
    assert halt is not None and (halt.by, halt.why) == ("demo", "故障")
    assert await store.dialling.go_on() and not await store.dialling.go_on()
    assert len(await store.attempts.lease("w", 9, NOON, allow)) == 9


async def test_what_was_agreed_is_dialled_first_and_campaigns_by_their_priority(store: Store) -> None:
    await begin(store, cases=3)
    await begin(store, cases=6, id="k2", priority=5)
    found = await store.campaigns.find("k1")
    assert found is not None
    (first,) = await store.attempts.lease("w", 1, NOON, allow)
    assert first.campaign_id == "k2"
    await store.campaigns.save(replace(found, priority=9))
    await store.attempts.add("C0005", "reminder", NOON, purpose=Purpose.CALLBACK, priority=300)
    order = await store.attempts.lease("w", 9, NOON, allow)
    assert order[0].purpose is Purpose.CALLBACK
    assert [attempt.campaign_id for attempt in order[1:]] == sorted(str(a.campaign_id) for a in order[1:])


async def placed(store: Store) -> int:
    await begin(store, cases=1)
    (attempt,) = await store.attempts.lease("w", 1, NOON, allow)
    payload = {"call_id": "call-1", "target": attempt.number}
    await store.attempts.place(attempt.id, "w", "call-1", NOON, DialOrdered("@line-0", payload))
    return attempt.id


async def test_an_order_that_nobody_took_is_taken_back_whole(store: Store) -> None:
    attempt = await store.attempts.find(await placed(store))
    assert attempt is not None
    assert await store.lost_calls.take_back(attempt, NOON + MINUTE, NOON)
    assert await store.commands.take(["@line-0"], "line-0", NOON) == [], "no line may take it any more"
    again = await store.attempts.find(attempt.id)
    assert again is not None and (again.state, again.call_id) == (AttemptState.WAITING, None)
    for _ in range(4):  # nothing was counted
        (leased,) = await store.attempts.lease("w", 1, NOON + MINUTE, allow)
        await store.attempts.release(leased.id, "w", NOON)


async def test_an_order_that_a_line_took_stays(store: Store) -> None:
    attempt = await store.attempts.find(await placed(store))
    assert attempt is not None
    (order,) = await store.commands.take(["@line-0"], "line-0", NOON)
    assert not await store.lost_calls.take_back(attempt, NOON + MINUTE, NOON)
    assert order.payload["call_id"] == "call-1"


async def test_either_the_line_takes_an_order_or_the_dialler_takes_it_back(store: Store, database_url: str) -> None:
    """Both at the very same time, again and again: never both, never neither."""
    async with Store.from_url(database_url) as line:
        await begin(store, cases=20)
        for n, attempt in enumerate(await store.attempts.lease("w", 20, NOON, allow)):
            call_id = f"call-{n}"
            order = DialOrdered("@line-0", {"call_id": call_id})
            await store.attempts.place(attempt.id, "w", call_id, NOON, order)
            mine = replace(attempt, state=AttemptState.PLACED, call_id=call_id)
            taken, back = await asyncio.gather(
                line.commands.take(["@line-0"], "line-0", NOON), store.lost_calls.take_back(mine, NOON + MINUTE, NOON)
            )
            assert bool(taken) != back


async def test_an_order_grows_stale_before_the_rulebooks_word_does(store: Store) -> None:
    await placed(store)
    assert await store.commands.take(["@line-0"], "line-0", NOON + 6 * SECOND) == []


async def test_a_pause_withdraws_orders_that_wait_for_a_line(store: Store) -> None:
    attempt_id = await placed(store)
    await store.campaigns.pause("k1", NOON)
    assert await store.commands.take(["@line-0"], "line-0", NOON) == []
    attempt = await store.attempts.find(attempt_id)
    assert attempt is not None and await store.lost_calls.take_back(attempt, NOON, NOON)
    assert WITHDRAWN not in (attempt.leased_by, "")


async def test_a_call_that_comes_to_light_is_settled_by_what_happened(store: Store) -> None:
    attempt_id = await placed(store)
    await store.attempts.settle(attempt_id, "w", FAILED, NOON, lost=True)
    await store.attempts.settle(attempt_id, "w", FAILED, NOON, lost=True)  # said again, as after a lost connection
    assert await store.lost_calls.found("w2", NOON) == []
    await store.calls.start(CallRecord("call-1", "outbound", "x", NOON, attempt_id=attempt_id))
    await store.calls.close("call-1", ended_at=NOON + MINUTE, disposition="no_answer")
    (found,) = await store.lost_calls.found("w2", NOON + MINUTE)
    await store.attempts.settle(found.id, "w2", Outcome(Disposition.NO_ANSWER), NOON + MINUTE)
    assert await store.lost_calls.found("w2", NOON + MINUTE) == []
    settled = await store.attempts.find(attempt_id)
    assert settled is not None and settled.disposition is Disposition.NO_ANSWER
    await store.attempts.add("C0000", "reminder", NOON)
    assert len(await store.attempts.lease("w", 1, NOON + MINUTE, allow)) == 1, "the conversation is free again"


async def test_pulses_tell_of_campaigns_that_run_or_pause(store: Store) -> None:
    await begin(store, cases=4)
    await begin(store, cases=4, id="k2", priority=3)
    await store.campaigns.pause("k1", NOON)
    pulses = await store.dialling.pulses(NOON, PACING)
    assert [(p.campaign_id, p.state) for p in pulses] == [("k2", CampaignState.RUNNING), ("k1", CampaignState.PAUSED)]


async def test_what_a_preview_campaign_keeps_ready_is_done_when_a_person_dials(store: Store) -> None:
    await begin(store, cases=2, mode=CampaignMode.PREVIEW)
    assert await store.attempts.lease("w", 9, NOON, allow, pacing=PACING) == []
    placed = await store.previews.place("C0000", "desk", "call-9", NOON, allow, caps=Caps(), script="reminder")
    assert isinstance(placed, Attempt)
    progress = await store.campaigns.progress("k1")
    assert (progress.cases, progress.cases_done) == (2, 1)
