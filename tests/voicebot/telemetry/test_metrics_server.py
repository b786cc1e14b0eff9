"""A port for Prometheus: it answers /metrics while it is wanted, and a taken port costs no call."""

from __future__ import annotations

import socket
import urllib.request
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from voicebot.telemetry.metrics_server import figures_of, serving_metrics


def read(address: tuple[str, int] | None) -> str:
    assert address is not None
    with urllib.request.urlopen(f"http://{address[0]}:{address[1]}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def test_the_figures_of_a_machine_are_read_over_http(tmp_path: Path) -> None:
    with serving_metrics(("127.0.0.1", 0), figures_of(tmp_path, 512)) as address:
        told = read(address)
    values = {one.name: one.value for family in text_string_to_metric_families(told) for one in family.samples}
    assert values["voicebot_disk_reserve_bytes"] == 512 << 20 and values["voicebot_disk_free_bytes"] > 0
    with socket.socket() as again:  # it is gone
        assert again.connect_ex(address) != 0


def test_without_an_address_or_with_a_taken_one_there_is_none(tmp_path: Path) -> None:
    with serving_metrics(None, figures_of(tmp_path, 0)) as address:
        assert address is None
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with serving_metrics(other.getsockname(), figures_of(tmp_path, 0)) as address:
            assert address is None
