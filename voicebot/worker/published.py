"""Published: keeps the metrics of this process true, from the journals of calls that end and the state of the store."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import Sequence

import structlog

from voicebot.call.outcome import outcome_of
from voicebot.domain.clock import Clock
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.records import CallRecord, LoadFigures
from voicebot.store import DatabaseError, Store
from voicebot.store.uploads import UploadFigures
from voicebot.telemetry import metrics

log = structlog.get_logger(__name__)

EVERY_S = 5.0
TOTALS_EVERY_S = 300.0
PRESENCES = ("ready", "busy", "wrap_up", "away", "offline")


async def publish(store: Store, clock: Clock) -> None:
    """Fill the metrics until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_follow_calls(store))
        tasks.create_task(_follow_load(store, clock))
        tasks.create_task(_follow_uploads(store))


async def _follow_load(store: Store, clock: Clock) -> None:
    while True:
        try:
            show_load(await store.load.now(clock.now()))
            show_waiting(await store.uploads.waiting(), clock.now())
            metrics.DATABASE_UP.set(1)
        except (DatabaseError, OSError):
            metrics.DATABASE_UP.set(0)
        await asyncio.sleep(EVERY_S)


async def _follow_uploads(store: Store) -> None:
    """How much lies in the object store: a long table, looked at now and then."""
    while True:
        with contextlib.suppress(DatabaseError, OSError):
            metrics.UPLOADS.labels("verified").set((await store.uploads.figures()).verified)
        await asyncio.sleep(TOTALS_EVERY_S)


async def _follow_calls(store: Store) -> None:
    """Count every call that ends from now on; those that end while the database is away are missed."""
    async for call_id in store.calls.ends():
        if not call_id:
            continue
        try:
            record = await store.calls.find(call_id)
            if record is not None:
                count_call(record, await store.facts.of(call_id))
        except Exception:  # one call that can't be read must not end the counting of all others
            log.exception("a call is missing in the metrics", call_id=call_id)


def show_load(load: LoadFigures) -> None:
    """Set the gauges."""
    metrics.CALLS_RUNNING.set(load.calls_running)
    metrics.ATTEMPTS_WAITING.labels("now").set(load.attempts_due)
    metrics.ATTEMPTS_WAITING.labels("later").set(load.attempts_later)
    for presence in PRESENCES:
        metrics.AGENTS.labels(presence).set(load.agents.get(presence, 0))


def show_waiting(uploads: UploadFigures, now: dt.datetime) -> None:
    """Set the gauges of what waits for the object store."""
    metrics.UPLOADS.labels("waiting").set(uploads.waiting)
    metrics.UPLOADS.labels("failing").set(uploads.failing)
    metrics.UPLOAD_AGE.set((now - uploads.oldest).total_seconds() if uploads.oldest else 0)


def count_call(record: CallRecord, facts: Sequence[Fact]) -> None:
    """Add one finished call to the counters."""
    outcome = outcome_of(facts)
    metrics.CALLS_ENDED.labels(record.direction, record.disposition or outcome.disposition.value).inc()
    if outcome.answered:
        metrics.CALL_SECONDS.observe(outcome.talk_ms / 1000)
    if outcome.promise is not None:
        metrics.PROMISES.labels("yes" if outcome.promise.confirmed else "no").inc()
    kinds = {fact.kind for fact in facts}
    if FactKind.TRANSFER_STARTED in kinds:
        metrics.HANDOFFS.labels("joined" if outcome.handoff else "failed").inc()
    if FactKind.BRAIN_LOST in kinds:
        metrics.BRAIN_LOST.inc()
    for fact in facts:
        _count_fact(fact)


def _count_fact(fact: Fact) -> None:
    turn_ms, rules = fact.data.get("turn_ms"), fact.data.get("rules")
    if fact.kind is FactKind.LATENCY and isinstance(turn_ms, int | float):
        metrics.TURN_SECONDS.observe(turn_ms / 1000)
    if fact.kind is FactKind.NOTE and isinstance(rules, list):
        for rule in rules:
            metrics.SPEECH_BLOCKED.labels(str(rule)).inc()
