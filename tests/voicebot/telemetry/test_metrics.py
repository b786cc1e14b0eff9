"""The numbers that are published, in the format Prometheus reads."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from voicebot.telemetry import metrics


def test_every_metric_is_published_with_help_and_our_prefix() -> None:
    families = {family.name: family for family in text_string_to_metric_families(metrics.exposition().decode())}
    ours = [name for name in families if not name.startswith("process_")]
    assert all(name.startswith("voicebot_") and families[name].documentation for name in ours)
    assert {"voicebot_calls_running", "voicebot_turn_seconds", "voicebot_calls_ended"} <= set(ours)


def test_what_is_counted_is_seen() -> None:
    before = metrics.REGISTRY.get_sample_value("voicebot_turn_seconds_count") or 0
    metrics.TURN_SECONDS.observe(0.55)
    text = metrics.exposition().decode()
    assert metrics.REGISTRY.get_sample_value("voicebot_turn_seconds_count") == before + 1
    assert 'voicebot_turn_seconds_bucket{le="0.6"}' in text
