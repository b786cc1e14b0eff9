"""The demonstration end to end: real SIP, real sound, a promise, a hand-over, bundles that verify."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from voicebot.evidence.verify import verify_bundle

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
    done = subprocess.run(
        [*command, "--json", str(report), "--home", str(home)],
        capture_output=True,
        text=True,
        timeout=420,
        check=False,
    )
    log = (home / "processes.log").read_text(errors="replace")[-3000:]
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
