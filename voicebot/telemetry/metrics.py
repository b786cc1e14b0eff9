"""Metrics: every number voicebot publishes, in one registry, with its unit in its name."""

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

CALLS_RUNNING = Gauge("voicebot_calls_running", "Calls on the line now", registry=REGISTRY)
CALLS_ENDED = Counter("voicebot_calls_ended", "Calls that ended", ["direction", "disposition"], registry=REGISTRY)
CALLS_REFUSED = Counter("voicebot_calls_refused", "Inbound calls refused", ["status"], registry=REGISTRY)
DIALS_REFUSED = Counter("voicebot_dials_refused", "Attempts the rulebook did not allow", ["rule"], registry=REGISTRY)
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
TICK_LATE_SECONDS = Histogram(
    "voicebot_tick_late_seconds",
    "How late the 20 ms tick of the line came",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.1, 0.5),
    registry=REGISTRY,
)
PACKETS_LOST = Counter("voicebot_packets_lost", "RTP packets that never came", registry=REGISTRY)
SPEECH_BLOCKED = Counter("voicebot_speech_blocked", "Sentences the speech gate held back", ["rule"], registry=REGISTRY)
PROMPT_CACHE = Counter(
    "voicebot_prompt_cache", "Prompts taken from the cache or synthesised", ["result"], registry=REGISTRY
)
HANDOFFS = Counter("voicebot_handoffs", "Transfers to a person", ["result"], registry=REGISTRY)
BRAIN_LOST = Counter("voicebot_brain_lost", "Times the line noticed that its brain was gone", registry=REGISTRY)
BUNDLES_SEALED = Counter("voicebot_bundles_sealed", "Evidence bundles sealed", registry=REGISTRY)


def exposition() -> bytes:
    """All metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
