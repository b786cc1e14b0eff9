"""The demonstration end to end: real SIP, real sound, a promise, a hand-over, bundles that verify."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from voicebot.evidence.verify import verify_bundle
from voicebot.telemetry.traces import trace_id_of

from .collector import Collected, collecting

pytestmark = pytest.mark.slow

FIELDS = {
    "call_id",
    "case_id",
    "persona",
    "disposition",
    "expected_disposition",
    "promise",
    "handoff",
    "duration_s",
    "bundle",
    "verified",
}


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that PostgreSQL's own user may enter; pytest's temporary folders are closed to others."""
    with tempfile.TemporaryDirectory(prefix="vb-demo-") as folder:
        yield Path(folder) / "home"


def test_two_debtors_are_rung_and_the_outcome_is_written_down(home: Path, tmp_path: Path) -> None:
    report = tmp_path / "demo.json"
    command = [sys.executable, "-m", "voicebot.cli", "demo", "--once", "--calls", "2"]
    with collecting() as collector:
        done = subprocess.run(
            [*command, "--json", str(report), "--home", str(home)],
            capture_output=True,
            text=True,
            timeout=420,
            check=False,
            env={**os.environ, "VOICEBOT_OTLP_ENDPOINT": collector.endpoint},
        )
        spans = collector.spans()
    whole = (home / "processes.log").read_text(errors="replace")
    log = whole[-3000:]
    assert done.returncode == 0, done.stderr[-2000:] + log
    told = json.loads(report.read_text(encoding="utf-8"))
    assert told["console"].startswith("http://127.0.0.1:")
    promised, transferred = told["calls"]
    for call in told["calls"]:
        assert call.keys() >= FIELDS
        assert call["verified"] and verify_bundle(Path(call["bundle"])).valid
        assert not call["disclosed_before_verified"]
        assert call["disposition"] == call["expected_disposition"]
    assert promised["promise"]["amount_fen"] == 126800
    assert dt.date.fromisoformat(promised["promise"]["date"]) > dt.date.today() - dt.timedelta(days=1)
    assert transferred["handoff"] and not promised["handoff"]
    assert "演示结果" in done.stderr
    for call in told["calls"]:
        _one_trace_over_three_processes(call["call_id"], spans)
    for name in ("李振海", "周敏"):
        assert name not in whole and not any(name in span.raw for span in spans)


def _one_trace_over_three_processes(call_id: str, spans: list[Collected]) -> None:
    """Control, line and brain told of the call under one root, which is the call itself."""
    ours = [span for span in spans if span.trace == trace_id_of(call_id)]
    by_service: dict[str, set[str]] = {}
    for one in ours:
        by_service.setdefault(one.service, set()).add(one.name)
    assert by_service.keys() == {"voicebot-control", "voicebot-line", "voicebot-brain"}
    assert {"wait for the call", "read the outcome"} <= by_service["voicebot-control"]
    line = {"take the order", "call", "talk", "turn", "seal evidence", "close in the store"}
    assert line <= by_service["voicebot-line"]
    assert {"start the conversation", "understand"} <= by_service["voicebot-brain"]
    (root,) = [span for span in ours if not span.parent]
    assert root.name == "call" and {span.parent for span in ours} == {"", root.span}
