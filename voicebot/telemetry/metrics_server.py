"""Metrics server: /metrics on a port of its own for a Prometheus on another machine; nothing else is answered there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, start_http_server

from voicebot.telemetry.process_figures import ProcessFigures

log = structlog.get_logger(__name__)


@contextlib.contextmanager
def serving_metrics(address: tuple[str, int] | None, registry: CollectorRegistry) -> Iterator[tuple[str, int] | None]:
    """Serve a registry while the block lasts; the address it came to, None without one.

    A port that is taken costs the figures and no call: it is said aloud.
    """
    if address is None:
        yield None
        return
    host, port = address
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        log.error("no metrics: free VOICEBOT_METRICS_LISTEN", address=f"{host}:{port}", error=str(error))
        yield None
        return
    try:
        yield host, int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def figures_of(home: Path, reserve_mb: int) -> CollectorRegistry:
    """What line and brain of a machine without control tell of themselves."""
    registry = CollectorRegistry(auto_describe=True)
    registry.register(ProcessFigures(home, reserve_mb))
    return registry
