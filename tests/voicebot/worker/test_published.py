"""The metrics tell what the journals of calls tell."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

import psycopg
from prometheus_client.parser import text_string_to_metric_families

from tests.voicebot.store.samples import MINUTE, NOON, campaign, new_case, plan
from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.records import AgentRecord, CallRecord
from voicebot.store import Store
from voicebot.store.uploads import UploadFigures
from voicebot.telemetry import metrics
from voicebot.worker.published import count_call, publish, show_load, show_waiting


def value(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


def journal(*entries: tuple[FactKind, Mapping[str, object]]) -> list[Fact]:
    whole = [(FactKind.ANSWERED, {}), *entries, (FactKind.ENDED, {"by": "local", "status": None, "reason": ""})]
    return [Fact(n, NOON.isoformat(), n * 1000, kind, data) for n, (kind, data) in enumerate(whole)]


PROMISED = journal(
    (FactKind.LATENCY, {"turn_ms": 720}),
    (FactKind.LATENCY, {"turn_ms": 1400}),
    (FactKind.NOTE, {"text": "speech gate", "blocked": "…", "rules": ["F03"]}),
    (FactKind.PROMISED, {"date": "2026-11-27", "amount_fen": 100, "confirmed": True}),
    (FactKind.DISPOSITION, {"disposition": "promise_to_pay", "why": ""}),
)
HANDED_OVER = journal(
    (FactKind.BRAIN_LOST, {"silent_ms": 600}),
    (FactKind.TRANSFER_STARTED, {"reason": "brain_lost", "skill": "general"}),
    (FactKind.JOINED, {"agent": "a1"}),
    (FactKind.DISPOSITION, {"disposition": "human_requested", "why": ""}),
)


def test_a_call_is_counted_by_what_its_journal_says() -> None:
    watched = {
        ("voicebot_calls_ended_total", ("direction", "outbound"), ("disposition", "promise_to_pay")): 1,
        ("voicebot_calls_ended_total", ("direction", "outbound"), ("disposition", "human_requested")): 1,
        ("voicebot_turn_seconds_count",): 2,
        ("voicebot_turn_seconds_bucket", ("le", "0.8")): 1,
        ("voicebot_promises_total", ("confirmed", "yes")): 1,
        ("voicebot_handoffs_total", ("result", "joined")): 1,
        ("voicebot_handoffs_total", ("result", "failed")): 0,
        ("voicebot_speech_blocked_total", ("rule", "F03")): 1,
        ("voicebot_brain_lost_total",): 1,
        ("voicebot_call_seconds_count",): 2,
    }
    before = {key: value(key[0], **dict(key[1:])) for key in watched}
    for facts, disposition in ((PROMISED, "promise_to_pay"), (HANDED_OVER, "human_requested")):
        count_call(CallRecord("c1", "outbound", "n", NOON, disposition=disposition), facts)
    assert {key: value(key[0], **dict(key[1:])) - before[key] for key in watched} == watched


async def test_what_runs_and_waits_is_counted(store: Store) -> None:
    await campaign(store)
    await plan(store, new_case(1), new_case(2), at=NOON)
    await plan(store, new_case(3), at=NOON + 60 * MINUTE)
    await store.calls.start(CallRecord("c1", "outbound", "n", NOON))
    await store.agents.save(AgentRecord("a1", "坐席", "sip:a1@host"))
    await store.agents.set_presence("a1", "ready", NOON)
    show_load(await store.load.now(NOON))
    assert value("voicebot_calls_running") == 1
    assert (value("voicebot_attempts_waiting", due="now"), value("voicebot_attempts_waiting", due="later")) == (2, 1)
    assert (value("voicebot_agents", presence="ready"), value("voicebot_agents", presence="busy")) == (1, 0)


async def test_calls_are_counted_as_they_end(store: Store, database_url: str) -> None:
    await store.calls.start(CallRecord("c9", "inbound", "n", NOON))
    await store.facts.append("c9", PROMISED)
    before = value("voicebot_calls_ended_total", direction="inbound", disposition="promise_to_pay")
    publishing = asyncio.create_task(publish(store, FixedClock(NOON)))
    await listens(database_url)
    await store.calls.close("c9", ended_at=NOON, disposition="promise_to_pay")
    for _ in range(1200):
        if value("voicebot_calls_ended_total", direction="inbound", disposition="promise_to_pay") > before:
            break
        await asyncio.sleep(0.05)
    publishing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await publishing
    assert value("voicebot_calls_ended_total", direction="inbound", disposition="promise_to_pay") == before + 1
    assert value("voicebot_database_up") == 1
    assert list(text_string_to_metric_families(metrics.exposition().decode()))


async def listens(database_url: str) -> None:
    """Wait until somebody listens, on a connection of its own."""
    query = "SELECT FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
    with psycopg.connect(database_url, autocommit=True) as connection:
        while not connection.execute(query).fetchall():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def test_uploads_show_what_waits_and_for_how_long() -> None:
    show_waiting(UploadFigures(waiting=3, failing=1, oldest=NOON), NOON + 2 * MINUTE)
    assert value("voicebot_uploads", state="waiting") == 3
    assert value("voicebot_uploads", state="failing") == 1
    assert value("voicebot_upload_oldest_seconds") == 120
    show_waiting(UploadFigures(), NOON)
    assert value("voicebot_upload_oldest_seconds") == 0
