"""Calls, facts and commands: what the console sees while calls run, and what it can order."""

from __future__ import annotations

import asyncio
import datetime as dt
from contextlib import aclosing

import psycopg
import pytest
from sqlalchemy import text

from voicebot.domain.case import Promise
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.records import AgentRecord, CallFilter, CallRecord
from voicebot.store import DatabaseError, Store

from .samples import MINUTE, NOON, new_case

AT = "2026-11-24T02:00:00.250000+00:00"


def heard(seq: int, text: str = "我明天还") -> Fact:
    return Fact(seq, AT, 20 * seq, FactKind.HEARD, {"text": text})


async def test_facts_wake_listeners_in_order(store: Store) -> None:
    async with aclosing(store.facts.live()) as live:  # type: ignore[type-var]
        assert await anext(live) is None, "listening works from here on"
        hearing = Fact(3, AT, 60, FactKind.HEARING, {"text": "我明"})
        await store.facts.append("c1", [heard(0), heard(1, "长" * 5000)])
        await store.facts.append("c2", [hearing])
        news = [await asyncio.wait_for(anext(live), 60) for _ in range(3)]
    assert [(n.call_id, n.fact) for n in news if n] == [
        ("c1", heard(0)),
        ("c1", heard(1, "长" * 5000)),
        ("c2", hearing),
    ]
    assert await store.facts.of("c2") == [], "what was only partly heard is not kept"


async def test_facts_of_several_calls_are_kept_together_or_not_at_all(store: Store) -> None:
    hearing = Fact(3, AT, 60, FactKind.HEARING, {"text": "我明"})
    async with aclosing(store.facts.live()) as live:  # type: ignore[type-var]
        await anext(live)
        with pytest.raises(DatabaseError):
            await store.facts.append_all({"c1": [heard(0)], "c2": [hearing, heard(0, "\0")]})
        await store.facts.append_all({"c3": [heard(0)], "c4": [hearing, heard(0)], "c5": []})
        news = [await asyncio.wait_for(anext(live), 60) for _ in range(3)]
    assert [(n.call_id, n.fact) for n in news if n] == [("c4", hearing), ("c3", heard(0)), ("c4", heard(0))]
    assert await store.facts.of("c1") == []


async def test_facts_are_copied_once(store: Store) -> None:
    await store.facts.append("c1", [heard(n) for n in range(5)])
    await store.facts.append("c1", [heard(n) for n in range(8)])
    assert [f.seq for f in await store.facts.of("c1", after=2)] == [3, 4, 5, 6, 7]


async def test_listening_survives_a_lost_connection(store: Store, database_url: str) -> None:
    async with aclosing(store.listen("voicebot_test")) as notes:  # type: ignore[type-var]
        assert await anext(notes) == ""
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE query LIKE 'LISTEN%' AND datname = current_database()"
            )
            assert await asyncio.wait_for(anext(notes), 60) == "", "read afresh"
            connection.execute("NOTIFY voicebot_test, 'hello'")
        assert await asyncio.wait_for(anext(notes), 60) == "hello"


async def test_a_command_reaches_one_worker_once(store: Store) -> None:
    async with aclosing(store.commands.listen()) as woken:  # type: ignore[type-var]
        await anext(woken)
        await store.commands.issue("c1", "hang_up", NOON, by="wang", payload={"why": "test"})
        assert await asyncio.wait_for(anext(woken), 60) == "c1"
    assert await store.commands.take(["c2"], "w2", NOON) == []
    taken = await asyncio.gather(*(store.commands.take(["c1"], "w1", NOON) for _ in range(4)))
    (command,) = [command for batch in taken for command in batch]
    assert (command.verb, command.payload, command.issued_by) == ("hang_up", {"why": "test"}, "wang")
    await store.commands.issue("c1", "hang_up", NOON, by="wang")
    assert await store.commands.take(["c1"], "w1", NOON + 5 * MINUTE) == [], "stale orders are not obeyed"


async def test_calls_are_listed_searched_and_counted(store: Store) -> None:
    new = new_case(1)
    await store.cases.save([new], NOON)
    for n in range(5):
        started = NOON + n * MINUTE
        call = CallRecord(f"call-{n}", "outbound", "+8613800000001", started, case_id="C0001" if n else None)
        await store.calls.start(call)
    assert len(await store.calls.running()) == 5
    ended = {"ended_at": NOON + 9 * MINUTE, "duration_ms": 61_000, "answered_at": NOON}
    await store.calls.change("call-1", disposition="promise_to_pay", handoff=True, **ended)
    await store.calls.change("call-2", disposition="busy", ended_at=NOON + MINUTE)
    await store.promises.record("C0001", "call-1", Promise(dt.date(2026, 11, 27), 350_050), NOON)
    await store.promises.record("C0001", "call-1", Promise(dt.date(2026, 11, 28), 300_000), NOON)
    await store.facts.append("call-3", [heard(0, "我下周一_还")])
    assert [c.id for c in await store.calls.running()] == ["call-0", "call-3", "call-4"]
    for wanted, ids in [
        (CallFilter(text="下周一_"), ["call-3"]),
        (CallFilter(text="演示1", disposition="busy"), ["call-2"]),
        (CallFilter(handoff=True), ["call-1"]),
        (CallFilter(since=NOON + 3 * MINUTE, until=NOON + 4 * MINUTE), ["call-3"]),
        (CallFilter(text="%"), []),
    ]:
        found, total = await store.calls.search(wanted)
        assert ([c.id for c in found], total) == (ids, len(ids)), wanted
    figures = await store.calls.figures(NOON.date())
    assert (figures.calls, figures.answered, figures.talked, figures.handoffs) == (5, 1, 1, 1)
    assert (figures.promises, figures.promised_fen) == (1, 300_000)
    assert figures.dispositions == {"promise_to_pay": 1, "busy": 1}
    assert (await store.calls.figures(NOON.date() + dt.timedelta(days=1))).calls == 0
    with pytest.raises(ValueError, match="number"):
        await store.calls.change("call-1", number="1")


async def test_no_two_calls_get_the_same_agent(store: Store) -> None:
    for n in range(3):
        await store.agents.save(AgentRecord(f"a{n}", f"坐席{n}", f"sip:a{n}@host", ("debt", "zh")))
        await store.agents.set_presence(f"a{n}", "ready" if n else "away", NOON + n * MINUTE)
    assert await store.agents.claim(["a0"], NOON, call_id="c1") is None
    everybody = ["a0", "a1", "a2"]
    claimed = await asyncio.gather(*(store.agents.claim(everybody, NOON, call_id=f"c{n}") for n in range(4)))
    assert sorted(agent.id for agent in claimed if agent) == ["a1", "a2"]
    resting = await store.agents.claim(everybody, NOON, call_id="c9", presences=("away",))
    assert resting and (resting.id, resting.presence) == ("a0", "away"), "what they were is forgotten"


async def test_an_agent_is_given_back_only_by_the_call_that_holds_them(store: Store) -> None:
    await store.agents.save(AgentRecord("a1", "坐席", "sip:a1@host"))
    await store.agents.set_presence("a1", "ready", NOON)
    await store.agents.claim(["a1"], NOON, call_id="c1")
    assert not await store.agents.give_back("a1", "c2", NOON), "another call's agent"
    assert await store.agents.give_back("a1", "c1", NOON)
    await store.agents.claim(["a1"], NOON, call_id="c1")
    await store.agents.set_presence("a1", "away", NOON)
    assert not await store.agents.give_back("a1", "c1", NOON)
    found = await store.agents.find("a1")
    assert found and found.presence == "away", "who went home during the call stays there"


async def test_agents_of_calls_that_died_are_given_back(store: Store) -> None:
    for name in ("ended", "running", "unknown", "themselves"):
        await store.agents.save(AgentRecord(name, name, f"sip:{name}@host", (name,)))
        await store.agents.set_presence(name, "ready", NOON)
    for name in ("ended", "running"):
        await store.calls.start(CallRecord(name, "outbound", "+8613800000001", NOON))
    for name in ("ended", "running", "unknown"):
        assert await store.agents.claim([name], NOON, call_id=name)
    await store.agents.set_presence("themselves", "busy", NOON)
    await store.calls.change("ended", ended_at=NOON)
    assert await store.agents.give_back_lost(NOON) == [], "the worker gets the chance to do it"
    assert await store.agents.give_back_lost(NOON + MINUTE) == ["ended", "unknown"]
    assert await store.agents.give_back_lost(NOON + MINUTE) == []
    assert await store.agents.give_back_lost(NOON + 61 * MINUTE) == ["running"], "no call lasts so long"
    found = await store.agents.find("themselves")
    assert found and found.presence == "busy", "nobody reserved them"


async def test_one_process_leads(store: Store, database_url: str) -> None:
    async with Store.from_url(database_url) as other:
        first, second = store.lead("dialler"), other.lead("dialler")
        assert await first.hold() and await first.hold() and not await second.hold()
        await first.give_up()
        assert await second.hold() and not await first.hold()
        await second.give_up()
        assert await store.setting("secret", lambda: "a") == await other.setting("secret", lambda: "b")


async def test_a_lost_connection_loses_the_lead_and_takes_it_again_unless_somebody_was_sooner(
    store: Store, database_url: str
) -> None:
    async with Store.from_url(database_url) as other:
        first, second = store.lead("dialler"), other.lead("dialler")
        assert await first.hold()
        await cut_all_others(other)
        assert await first.hold(), "nobody else has it"
        await cut_all_others(other)
        for _ in range(100):  # the server notices a little later
            if await second.hold():
                break
            await asyncio.sleep(0.05)
        assert await second.hold() and not await first.hold()
        await second.give_up()


async def test_the_lead_is_taken_from_who_stands_still_and_from_nobody_else(store: Store, database_url: str) -> None:
    """Its connection lives on, as that of a stopped process does."""
    async with Store.from_url(database_url) as other:
        still, next_one, apart = store.lead("dialler"), other.lead("dialler"), store.lead("something else")
        assert await still.hold() and await apart.hold()
        assert not await next_one.hold() and await next_one.oust()
        for _ in range(100):
            if await next_one.hold():
                break
            await asyncio.sleep(0.05)
        assert await next_one.hold() and not await still.hold()
        assert not await other.lead("something else").hold(), "another's lead was taken away too"
        for lead in (next_one, apart):
            await lead.give_up()


async def cut_all_others(store: Store) -> None:
    """As a restart of the server, or of a firewall between, would."""
    cut = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
               "AND pid <> pg_backend_pid()")  # fmt: skip
    async with store._database.begin() as connection:
        await connection.execute(cut)
