"""Telemetry: logs as facts with fields, and the numbers a Prometheus server collects."""
