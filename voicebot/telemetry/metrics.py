"""Metrics: every number voicebot publishes, in one registry, with its unit in its name.

Counters and histograms are filled from the journals of calls as they end, since the process that publishes them began.
What line and brain know of themselves comes from their files, see process_figures.
"""

from __future__ import annotations

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST
REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)

DATABASE_UP = Gauge("voicebot_database_up", "1 while the database answers; else the gauges are old", registry=REGISTRY)
WORKER_UP = Gauge("voicebot_worker_up", "1 while the worker lives and is not to be drained", ["worker"],
                  registry=REGISTRY)  # fmt: skip
WORKER_CALLS = Gauge("voicebot_worker_calls", "Calls of the worker, by its last sign of life", ["worker"],
                     registry=REGISTRY)  # fmt: skip
CLOCK_AHEAD = Gauge("voicebot_clock_ahead_seconds", "How far a process' clock is before the database's", ["process"],
                    registry=REGISTRY)  # fmt: skip
CONTROL_LEADS = Gauge("voicebot_control_leads", "1 for the control that dials", ["control"], registry=REGISTRY)
CALLS_RUNNING = Gauge("voicebot_calls_running", "Calls on the lines now", registry=REGISTRY)
ATTEMPTS_WAITING = Gauge(
    "voicebot_attempts_waiting", "Attempts that wait: due now, or put off to a later time", ["due"], registry=REGISTRY
)
AGENTS = Gauge("voicebot_agents", "Agents by presence", ["presence"], registry=REGISTRY)
CALLS_ENDED = Counter("voicebot_calls_ended", "Calls that ended", ["direction", "disposition"], registry=REGISTRY)
TURN_SECONDS = Histogram(
    "voicebot_turn_seconds",
    "End of the callee's speech to the first sound of the answer on the wire",
    buckets=(0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0),
    registry=REGISTRY,
)
CALL_SECONDS = Histogram(
    "voicebot_call_seconds",
    "Length of answered calls",
    buckets=(5, 15, 30, 60, 120, 180, 300, 600, 1200),
    registry=REGISTRY,
)
PROMISES = Counter("voicebot_promises", "Calls in which a payment was promised", ["confirmed"], registry=REGISTRY)
HANDOFFS = Counter("voicebot_handoffs", "Calls for which a person was fetched: joined or failed", ["result"],
                   registry=REGISTRY)  # fmt: skip
SPEECH_BLOCKED = Counter("voicebot_speech_blocked", "Sentences the speech gate held back", ["rule"], registry=REGISTRY)
BRAIN_LOST = Counter("voicebot_brain_lost", "Calls that lost their brain", registry=REGISTRY)
CALENDAR_DAYS_LEFT = Gauge(
    "voicebot_calendar_days_left", "Days until dialling stops for want of holiday data; -1: it has", registry=REGISTRY
)
RULE_PACKS = Gauge("voicebot_rule_pack", "1 for every rule pack in force", ["pack", "version", "sha256"],
                   registry=REGISTRY)  # fmt: skip
DECISIONS = Counter("voicebot_decisions_chained", "Answers of the rulebook put into the ledger's chain",
                    registry=REGISTRY)  # fmt: skip
UPLOADS = Gauge("voicebot_uploads", "Sealed calls by whether they lie in the object store: waiting, failing, verified",
                ["state"], registry=REGISTRY)  # fmt: skip
UPLOAD_AGE = Gauge("voicebot_upload_oldest_seconds", "How long the sealed call waits that waits longest for its upload",
                   registry=REGISTRY)  # fmt: skip


def exposition() -> bytes:
    """All metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
