"""The queue for people, alerts and after-call time, in PostgreSQL."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import sys

import pytest

from tests.voicebot.store.samples import NOON, plan
from tests.voicebot.store.samples import new_case as case_of
from voicebot.domain.clock import SystemClock
from voicebot.domain.records import AgentRecord, AlertKind, CallRecord, Role, WaitingCall
from voicebot.handoff.matching import match
from voicebot.store import Store
from voicebot.store.schema import cases
from voicebot.store.schema_people import wrapups
from voicebot.store.waiting import FORGOTTEN

SECOND = dt.timedelta(seconds=1)


async def office(store: Store, *names: str, presence: str = "ready") -> None:
    for number, name in enumerate(names):
        await store.agents.save(AgentRecord(name, name, f"sip:{name}@office", ("general",), after_call_s=20))
        await store.agents.set_presence(name, presence, NOON + number * SECOND)


async def presence(store: Store, name: str) -> str:
    agent = await store.agents.find(name)
    assert agent is not None
    return agent.presence


def waits(call_id: str, *, after_s: float = 0, urgent: bool = False, agent_id: str | None = None) -> WaitingCall:
    return WaitingCall(call_id, "general", "asked", NOON + after_s * SECOND, urgent=urgent, agent_id=agent_id)


async def test_urgent_calls_are_served_first_then_who_came_first(store: Store) -> None:
    for call in (waits("late", after_s=2), waits("early"), waits("danger", after_s=3, urgent=True)):
        await store.waiting.enter(call)
    await store.waiting.enter(waits("early", after_s=9))
    assert [call.call_id for call in await store.waiting.all(NOON)] == ["danger", "early", "late"]
    agent, before = await store.waiting.claim("late", (), NOON, match)
    assert (agent, before) == (None, 2)
    await office(store, "a", "b")
    assert (await store.waiting.claim("late", (), NOON, match))[0] is None, "it jumped the queue"
    danger, _ = await store.waiting.claim("danger", (), NOON, match)
    early, _ = await store.waiting.claim("early", (), NOON, match)
    assert danger and early and (danger.id, early.id, early.call_id) == ("a", "b", "early")
    assert [call.call_id for call in await store.waiting.all(NOON)] == ["late"]


async def test_whoever_is_not_seen_any_more_holds_nobody_up(store: Store) -> None:
    await office(store, "a")
    await store.waiting.enter(waits("dead"))
    now = NOON + FORGOTTEN + SECOND
    await store.waiting.enter(waits("alive", after_s=FORGOTTEN.total_seconds() + 1))
    agent, _ = await store.waiting.claim("alive", (), now, match)
    assert agent is not None
    assert await store.waiting.forget(now + FORGOTTEN) == ["dead"]


async def test_the_agent_whom_the_debtor_knows(store: Store) -> None:
    await office(store, "a", "b")
    await plan(store, case_of(1))
    await store.calls.start(CallRecord("c1", "outbound", "n", NOON, case_id="C0001"))
    assert await store.waiting.usual_agent("c1") is None
    async with store._database.begin() as connection:
        for agent_id, ago in (("b", 2), ("a", 1)):
            values = {"call_id": "c0", "agent_id": agent_id, "case_id": "C0001", "started_at": NOON - ago * SECOND}
            await connection.execute(wrapups.insert().values(**values))
    assert await store.waiting.usual_agent("c1") == "a", "whoever talked with them last"
    async with store._database.begin() as connection:
        await connection.execute(cases.update().values(agent_id="b"))
    assert await store.waiting.usual_agent("c1") == "b", "whose case it is"
    await store.waiting.enter(waits("c1", agent_id="b"))
    claimed, _ = await store.waiting.claim("c1", (), NOON, match)
    assert claimed is not None and claimed.id == "b"


async def test_after_a_call_an_agent_writes_and_is_then_ready_by_themselves(store: Store) -> None:
    await office(store, "a")
    await store.agents.claim(["a"], NOON, call_id="c1")
    assert await store.agents.give_back("a", "c1", NOON, to="wrap_up")
    agent = await store.agents.find("a")
    assert agent is not None and (agent.presence, agent.wrap_until) == ("wrap_up", NOON + 20 * SECOND)
    assert await store.agents.end_wrap_up(NOON + 19 * SECOND) == []
    await store.waiting.enter(waits("c2", after_s=15))
    claimed, _ = await store.waiting.claim("c2", (), NOON + 20 * SECOND, match)
    assert claimed is not None and claimed.id == "a", "somebody waits for one whose time is over"
    await store.agents.set_presence("a", "wrap_up", NOON)
    await store.agents.set_presence("a", "ready", NOON)
    assert await store.agents.end_wrap_up(NOON + 60 * SECOND) == [], "who ended it themselves is not woken again"


async def test_supervisors_are_the_agents_of_their_accounts(store: Store) -> None:
    await office(store, "a", "boss", "gone")
    accounts = (("u1", Role.AGENT, "a"), ("u2", Role.SUPERVISOR, "boss"), ("u3", Role.OPERATOR, "gone"))
    for name, role, agent in accounts:
        await store.users.create(name, role, NOON, password="long enough")
        await store.users.change(name, agent_id=agent)
    await store.users.change("u3", disabled=True)
    assert [agent.id for agent in await store.agents.supervisors()] == ["boss"]


async def test_an_alert_stays_until_somebody_saw_it(store: Store) -> None:
    first = await store.alerts.ring(AlertKind.DANGER, "对方流露轻生的意思", NOON, call_id="c1")
    second = await store.alerts.ring(AlertKind.TRANSFER_FAILED, "没有接通", NOON, call_id="c2", agent_id="a")
    assert [alert.id for alert in await store.alerts.open()] == [second, first]
    assert await store.alerts.acknowledge(first, "u1", NOON)
    assert not await store.alerts.acknowledge(first, "u2", NOON)
    (alert,) = [one for one in await store.alerts.recent() if one.id == first]
    assert (alert.acknowledged_by, alert.kind, alert.call_id) == ("u1", AlertKind.DANGER, "c1")
    assert [alert.id for alert in await store.alerts.open()] == [second]


async def test_somebody_ready_wakes_who_waits_and_an_alert_the_wall(store: Store) -> None:
    await office(store, "a", presence="away")
    desk, wall = store.agents.changes(), store.alerts.listen()
    assert [await anext(desk), await anext(wall)] == ["", ""]
    await store.agents.set_presence("a", "ready", NOON)
    assert await asyncio.wait_for(anext(desk), 60) == "agents"
    await store.waiting.enter(waits("c1"))
    assert await asyncio.wait_for(anext(desk), 60) == "waiting"
    alert = await store.alerts.ring(AlertKind.GATE, "x", NOON)
    assert await asyncio.wait_for(anext(wall), 60) == str(alert)


@pytest.mark.slow
async def test_two_workers_never_give_anybody_away_twice(store: Store, database_url: str) -> None:
    """Sixteen calls on two workers want one of four agents, who are given back again and again."""
    agents = [f"a{number}" for number in range(4)]
    await office(store, *agents)
    now = SystemClock().now()
    calls = [f"c{number:02}" for number in range(16)]
    for number, call in enumerate(calls):
        await store.waiting.enter(WaitingCall(call, "general", "asked", now + number * SECOND, seen_at=now))
    shares = (calls[0::2], calls[1::2])
    workers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.voicebot.handoff.claimer", database_url, ",".join(share),
            stdout=asyncio.subprocess.PIPE,
        )
        for share in shares
    ]  # fmt: skip
    served: list[str] = []

    async def give_back() -> None:
        while len(served) < len(calls):
            for agent in await store.agents.all():
                if agent.call_id is not None:
                    served.append(agent.call_id)
                    assert await store.agents.give_back(agent.id, agent.call_id, SystemClock().now())
            await asyncio.sleep(0.01)

    await asyncio.wait_for(give_back(), 60)
    given = [pair for worker in workers for pair in json.loads((await worker.communicate())[0])]
    assert sorted(call for call, _ in given) == calls
    assert sorted(served) == calls, "somebody was reserved twice: one of the two calls was never seen"
    for position, call in enumerate(served):
        assert abs(position - calls.index(call)) <= 2 * len(agents), "the order is unfair"
    assert {agent.presence for agent in await store.agents.all()} == {"ready"}
