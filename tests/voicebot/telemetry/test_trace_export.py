"""Processes that share nothing but a call's id send one trace to a real collector over HTTP."""

from __future__ import annotations

import subprocess
import sys

from voicebot.telemetry.traces import trace_id_of

from .collector import collecting

CALL = "0123456789abcdef0123"
LINE = """
from voicebot.domain.journal import Fact, FactKind
from voicebot.telemetry.journal_spans import spans_of
facts = [Fact(0, "2026-11-20T09:00:00.000+00:00", 0, FactKind.STARTED, {"direction": "outbound"}),
         Fact(1, "2026-11-20T09:00:31.000+00:00", 0, FactKind.ENDED, {"by": "remote"})]
with traces.span("seal evidence", CALL):
    traces.record(CALL, spans_of(facts))
"""
BRAIN = """
with traces.span("understand", CALL, characters=3):
    pass
"""
FRAME = """
import sys
from voicebot.telemetry import traces
CALL = sys.argv[2]
traces.setup_traces(sys.argv[1], sys.argv[3])
{work}
traces.end_traces()
"""


def test_line_and_brain_meet_in_one_trace() -> None:
    with collecting() as collector:
        running = [
            subprocess.Popen([sys.executable, "-c", FRAME.format(work=work), collector.endpoint, CALL, name])
            for name, work in (("line", LINE), ("brain", BRAIN))
        ]
        assert [one.wait(timeout=120) for one in running] == [0, 0]
        spans = collector.spans()
    assert {(span.service, span.name) for span in spans} == {
        ("voicebot-line", "call"), ("voicebot-line", "seal evidence"), ("voicebot-brain", "understand"),
    }  # fmt: skip
    assert {span.trace for span in spans} == {trace_id_of(CALL)}
    (root,) = [span for span in spans if not span.parent]
    assert root.name == "call" and {span.parent for span in spans} == {"", root.span}
