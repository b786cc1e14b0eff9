"""What agents write and pull: once, whole, within bounds; and what the dialler makes of it."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from voicebot.domain.attempt import Attempt, AttemptState, Caps, ContactStop, NextAttempt, Outcome, Purpose
from voicebot.domain.case import Promise
from voicebot.domain.desk import AgentFigures, Wrapup
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.outcome import Disposition
from voicebot.domain.permission import DialRequest
from voicebot.domain.plan import Part
from voicebot.domain.records import AgentRecord, CallRecord, PromiseState
from voicebot.store import Store
from voicebot.store.portfolio import PortfolioFull

from .samples import MINUTE, NOON, Verdict, allow, new_case, plan

DAY = dt.timedelta(days=1)
PARTS = (Part(NOON.date() + DAY, 60_000), Part(NOON.date() + 31 * DAY, 40_001))
LAX = Caps(100, 100, 100, 100)


def refuse(request: DialRequest, now: dt.datetime) -> Verdict:
    return Verdict(False, "CN-T1", "outside the window", now + 60 * MINUTE)


def written(call_id: str = "k1", agent_id: str = "a1", **more: object) -> Wrapup:
    values: dict[str, object] = {"code": Disposition.PROMISE_TO_PAY, "started_at": NOON, "case_id": "C0001"}
    return Wrapup(call_id, agent_id, **{**values, "parts": PARTS, **more})  # type: ignore[arg-type]


async def seat(store: Store, *ids: str) -> None:
    for agent_id in ids or ("a1",):
        await store.agents.save(AgentRecord(agent_id, "周敏", f"sip:{agent_id}@10.0.0.5"))


async def called(store: Store) -> Attempt:
    """A call that was placed for the case C0001 and waits to be settled."""
    await plan(store, new_case(1))
    (attempt,) = await store.attempts.lease("w", 1, NOON, allow)
    await store.attempts.place(attempt.id, "w", "k1", NOON)
    await store.calls.start(CallRecord("k1", "outbound", attempt.number, NOON, "C0001", attempt.id))
    return attempt


async def test_a_double_click_writes_once(store: Store) -> None:
    await seat(store)
    await called(store)
    saved = await asyncio.gather(*(store.wrapups.save(written(callback_at=NOON + DAY), NOON) for _ in range(5)))
    assert sorted(saved) == [False] * 4 + [True]
    assert len(await store.promises.of_case("C0001")) == 2
    assert len(await store.promises.callbacks()) == 1
    (kept,) = await store.wrapups.of_call("k1")
    assert kept.parts == PARTS and kept.done_at == NOON


async def test_a_plan_stands_as_promises_and_replaces_what_was_open(store: Store) -> None:
    await seat(store)
    await called(store)
    await store.promises.record("C0001", "k0", Promise(NOON.date(), 100), NOON)
    following = (NextAttempt(NOON + DAY, Purpose.PROMISE_MISSED),)
    assert await store.wrapups.save(written(), NOON, following=following)
    made = {(p.date, p.amount_fen): p.state for p in await store.promises.of_case("C0001")}
    assert made[NOON.date(), 100] is PromiseState.REPLACED
    assert [made[part.date, part.amount_fen] for part in PARTS] == [PromiseState.OPEN] * 2
    assert await store.portfolio.owner("C0001") == "a1"


@pytest.mark.parametrize("settled_first", [True, False])
async def test_a_persons_word_stands_above_the_journals(store: Store, settled_first: bool) -> None:
    await seat(store)
    attempt = await called(store)
    bot = Outcome(
        Disposition.HUMAN_REQUESTED, talked_to=True, call_id="k1", promise=Promise(NOON.date(), 5), callback_wanted=True
    )
    following = (NextAttempt(NOON + DAY, Purpose.PROMISE_EVE),)

    async def settle() -> None:
        await store.attempts.settle(attempt.id, "w", bot, NOON, (NextAttempt(NOON + MINUTE, Purpose.CALLBACK),))

    async def write() -> None:
        assert await store.wrapups.save(written(), NOON, following=following)

    for step in (settle, write) if settled_first else (write, settle):
        await step()
    open_ = [p.amount_fen for p in await store.promises.of_case("C0001") if p.state is PromiseState.OPEN]
    assert sorted(open_) == [40_001, 60_000]
    waiting = [a.purpose for a in await store.attempts.of_case("C0001") if a.state is AttemptState.WAITING]
    assert waiting == [Purpose.PROMISE_EVE]
    found = await store.attempts.find(attempt.id)
    assert found is not None and found.state is AttemptState.SETTLED


async def test_writing_ends_and_a_stop_holds(store: Store) -> None:
    await seat(store)
    await called(store)
    await store.agents.set_presence("a1", "wrap_up", NOON)
    stop = ContactStop("complaint", NOON, debtor_id="D0001", call_id="k1")
    await store.wrapups.save(written(code=Disposition.COMPLAINT, parts=()), NOON + MINUTE, stop=stop)
    agent = await store.agents.find("a1")
    assert agent is not None and agent.presence == "ready"
    assert [s.reason for s in await store.contacts.stops_of("D0001", None, NOON)] == ["complaint"]
    assert await store.attempts.lease("w", 5, NOON + 2 * DAY, allow) == []


async def test_every_case_is_pulled_by_one(store: Store, database_url: str) -> None:
    ids = [f"a{n}" for n in range(4)]
    await seat(store, *ids)
    await store.cases.save([new_case(n) for n in range(1, 9)], NOON)
    got: list[str] = []

    async def pull(agent_id: str) -> None:
        async with Store.from_url(database_url, pool_size=1) as mine:
            misses = 0
            while misses < 4:
                case = await mine.portfolio.pull(agent_id, NOON)
                got.extend([case.id] if case else [])
                misses += case is None

    await asyncio.gather(*(pull(agent_id) for agent_id in ids))
    assert sorted(got) == [f"C{n:04d}" for n in range(1, 9)]
    assert await store.portfolio.pool(NOON) == ([], 0)


async def test_nobody_pulls_more_than_they_may_however_fast_they_click(store: Store) -> None:
    await seat(store)
    await store.cases.save([new_case(n) for n in range(1, 9)], NOON)
    tries = await asyncio.gather(*(store.portfolio.pull("a1", NOON, most=3) for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(one, PortfolioFull) for one in tries) == 3
    mine = await store.portfolio.of_agent("a1")
    assert len(mine) == 3
    assert await store.portfolio.give_back("a1", mine[0].id, NOON) and not await store.portfolio.give_back(
        "a1", mine[0].id, NOON
    )
    assert not await store.portfolio.give_back("a2", mine[1].id, NOON)


async def test_the_pool_holds_only_what_may_be_called(store: Store) -> None:
    await store.cases.save([new_case(n) for n in range(1, 6)], NOON)
    await store.contacts.stop(ContactStop("dispute", NOON, debtor_id="D0001"))
    await store.promises.record("C0002", None, Promise(NOON.date() + DAY, 5), NOON)
    await store.cases.set_status("C0003", "suspended", NOON)
    await store.cases.retire_number("D0004", "+8613800000004")
    cases, total = await store.portfolio.pool(NOON)
    assert ([case.id for case in cases], total) == (["C0005"], 1)


async def test_the_dialler_leaves_pulled_cases_to_their_agents(store: Store) -> None:
    await seat(store)
    await plan(store, new_case(1), new_case(2))
    await store.portfolio.pull("a1", NOON, "C0001")
    await store.attempts.add("C0001", "reminder", NOON, purpose=Purpose.PROMISE_MISSED)
    leased = await store.attempts.lease("w", 9, NOON, allow, caps=LAX)
    assert {(a.case.id, a.purpose) for a in leased} == {("C0002", Purpose.REMINDER), ("C0001", Purpose.PROMISE_MISSED)}


async def test_an_import_leaves_a_case_to_its_agent(store: Store) -> None:
    await seat(store)
    await store.cases.save([new_case(1)], NOON)
    await store.portfolio.pull("a1", NOON, "C0001")
    changed = new_case(1, number="+8613900000000")
    await store.cases.save([changed], NOON)
    assert [case.id for case in await store.portfolio.of_agent("a1")] == ["C0001"]


async def test_asking_reserves_nothing_and_placing_counts(store: Store) -> None:
    await store.cases.save([new_case(1)], NOON)
    assert (await store.previews.may("C0001", NOON, allow)).allowed
    assert not (await store.previews.may("C0001", NOON, refuse)).allowed
    assert await store.attempts.of_case("C0001") == []
    placed = await store.previews.place("C0001", "w", "p1", NOON, allow, caps=Caps(), script="reminder")
    assert isinstance(placed, Attempt)
    (attempt,) = await store.attempts.of_case("C0001")
    assert (attempt.state, attempt.call_id) == (AttemptState.PLACED, "p1")
    again = await store.previews.place("C0001", "w", "p2", NOON, allow, caps=Caps(), script="reminder")
    assert not isinstance(again, Attempt) and not again.allowed
    assert attempt.purpose is Purpose.AGENT
    adopted = await store.attempts.adopt("dialler", NOON + MINUTE)
    assert [a.id for a in adopted] == [attempt.id]


async def test_what_is_refused_is_not_left_for_the_bot(store: Store) -> None:
    await store.cases.save([new_case(1)], NOON)
    verdict = await store.previews.place("C0001", "w", "p1", NOON, refuse, caps=Caps(), script="reminder")
    assert not isinstance(verdict, Attempt)
    assert (verdict.allowed, verdict.rule, verdict.not_before) == (False, "CN-T1", NOON + 60 * MINUTE)
    assert await store.attempts.lease("w", 9, NOON + DAY, allow) == []
    assert await store.attempts.next_due() is None


async def test_a_case_that_is_closed_or_unknown_cannot_be_rung(store: Store) -> None:
    await store.cases.save([new_case(1)], NOON)
    await store.cases.set_status("C0001", "closed", NOON)
    for case_id in ("C0001", "nobody"):
        with pytest.raises(LookupError):
            await store.previews.may(case_id, NOON, allow)


async def test_callbacks_are_taken_once_and_done_by_whose_they_are(store: Store) -> None:
    await seat(store, "a1", "a2")
    await store.cases.save([new_case(1), new_case(2)], NOON)
    late = await store.promises.book_callback("C0001", None, "+8613800000001", NOON + DAY, "明天再说", NOON)
    soon = await store.promises.book_callback(None, "k9", "+8613800000002", NOON, "未接通人工", NOON)
    by_bot = await store.promises.book_callback("C0002", None, "+8613800000002", NOON, "晚点打", NOON)
    await store.attempts.add("C0002", "reminder", NOON, purpose=Purpose.CALLBACK)
    assert [c.id for c in await store.agent_callbacks.open("a1")] == [soon, late]
    taken = await asyncio.gather(*(store.agent_callbacks.take(late, agent) for agent in ("a1", "a2")))
    assert sorted(taken) == [False, True]
    owner = "a1" if taken[0] else "a2"
    assert [c.id for c in await store.agent_callbacks.open(owner)] == [late, soon]
    assert await store.agent_callbacks.done(late, owner, NOON)
    assert not await store.agent_callbacks.done(late, owner, NOON)
    assert not await store.agent_callbacks.done(soon, owner, NOON)
    assert by_bot not in [c.id for c in await store.agent_callbacks.open(owner)]


async def test_figures_of_a_day(store: Store) -> None:
    await seat(store, "a1", "a2")
    await store.cases.save([new_case(1)], NOON)
    at = NOON.astimezone(dt.UTC).isoformat()

    def fact(seq: int, ms: int, kind: FactKind, **data: object) -> Fact:
        return Fact(seq, at, ms, kind, data)

    await store.facts.append("k1", [fact(0, 10_000, FactKind.JOINED, agent="a1"), fact(1, 70_000, FactKind.ENDED)])
    await store.facts.append(
        "k2",
        [
            fact(0, 1_000, FactKind.JOINED, agent="a1"),
            fact(1, 9_000, FactKind.AGENT_LEFT, agent="a2"),
            fact(2, 31_000, FactKind.AGENT_LEFT, agent="a1"),
            fact(3, 32_000, FactKind.JOINED, agent="a2"),
            fact(4, 33_000, FactKind.ENDED),
        ],
    )
    await store.wrapups.save(written(started_at=NOON - MINUTE), NOON)
    await store.wrapups.save(written("k2", code=Disposition.REFUSAL, parts=(), started_at=NOON - 3 * MINUTE), NOON)
    first = (await store.promises.of_case("C0001"))[-1]
    await store.promises.mark(first.id, PromiseState.KEPT)
    figures = await store.figures.of_day(NOON.date())
    assert figures["a1"] == AgentFigures(
        calls=2, talk_s=90, promises=1, promised_fen=60_000, kept=1, judged=1, wrap_s=120
    )
    assert figures["a2"].calls == 1 and figures["a2"].talk_s == 1
    assert await store.figures.of_day(NOON.date() + 2 * DAY) == {"a1": AgentFigures(kept=1, judged=1)}
