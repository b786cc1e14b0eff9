"""One call, one trace: every process finds it by the call's id, and the journal fills it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from voicebot.domain.journal import Fact, FactKind
from voicebot.telemetry import traces
from voicebot.telemetry.journal_spans import spans_of

CALL = "0123456789abcdef0123"
BEGIN = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    made = InMemorySpanExporter()
    traces.setup_traces(None, "test", exporter=made)
    yield made
    traces.setup_traces(None, "test")


def facts(*rows: tuple[float, FactKind, dict[str, object]]) -> list[Fact]:
    return [
        Fact(seq, (BEGIN + dt.timedelta(seconds=at)).isoformat(timespec="milliseconds"), 0, kind, data)
        for seq, (at, kind, data) in enumerate(rows)
    ]


JOURNAL = facts(
    (0, FactKind.STARTED, {"call_id": CALL, "direction": "outbound", "number_masked": "138****5678", "amount_fen": 9}),
    (0.1, FactKind.DIALLED, {"to": "sip:13812345678@x", "trunk": "carrier"}),
    (3, FactKind.ANSWERED, {}),
    (3.2, FactKind.SAYING, {"utterance_id": "u1", "text": "您好，李振海先生", "node": "greet"}),
    (5, FactKind.SAID, {"utterance_id": "u1", "text": "您好，李振海先生", "node": "greet", "heard_ms": 1800}),
    (7, FactKind.HEARD, {"text": "是我"}),
    (7.9, FactKind.LATENCY, {"turn_ms": 800}),
    (9, FactKind.TRANSFER_STARTED, {"reason": "李振海", "skill": "hardship"}),
    (12, FactKind.JOINED, {"agent": "a1", "name": "王芳"}),
    (30, FactKind.DISPOSITION, {"disposition": "promised", "why": "李振海 said so"}),
    (31, FactKind.ENDED, {"by": "remote", "status": 200}),
)


def test_processes_that_know_only_the_call_meet_in_one_trace(exporter: InMemorySpanExporter) -> None:
    with traces.span("wait for the call", CALL, attempt=7):
        pass
    with traces.span("understand", CALL, characters=3):
        pass
    traces.record(CALL, spans_of(JOURNAL))
    spans = exporter.get_finished_spans()
    assert {f"{span.context.trace_id:032x}" for span in spans} == {traces.trace_id_of(CALL)}
    (root,) = [span for span in spans if span.parent is None]
    assert root.name == "call" and root.attributes["disposition"] == "promised"
    assert {span.parent.span_id for span in spans if span.parent is not None} == {root.context.span_id}


def test_the_journal_becomes_stretches_of_time() -> None:
    lengths = {one.name: (one.end - one.begin).total_seconds() for one in spans_of(JOURNAL)}
    assert lengths == {
        "call": 31.0, "ringing": 2.9, "talk": 28.0, "waiting for a person": 3.0, "person talks": 19.0,
        "bot speaks": 1.8, "turn": 0.8,
    }  # fmt: skip
    assert spans_of([]) == () and spans_of(JOURNAL[1:]) == ()


def test_no_span_tells_of_a_person(exporter: InMemorySpanExporter) -> None:
    traces.record(CALL, spans_of(JOURNAL))
    told = "".join(span.to_json() for span in exporter.get_finished_spans())
    for personal in ("李振海", "王芳", "138****", "是我", "您好"):
        assert personal not in told
    assert "amount" not in told


def test_a_failure_within_a_span_goes_on_and_is_marked(exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="broken"), traces.span("seal evidence", CALL):
        raise ValueError("broken")
    (span,) = exporter.get_finished_spans()
    assert not span.status.is_ok


def test_a_share_of_the_calls_is_the_same_share_everywhere() -> None:
    made = InMemorySpanExporter()
    traces.setup_traces(None, "test", share=0.25, exporter=made)
    try:
        for number in range(400):
            for name in ("line", "brain"):
                with traces.span(name, f"call-{number}"):
                    pass
        spans = made.get_finished_spans()
        by_trace = [span.context.trace_id for span in spans]
        assert 60 < len(set(by_trace)) < 140 and len(by_trace) == 2 * len(set(by_trace))
    finally:
        traces.setup_traces(None, "test")


def test_without_a_collector_nothing_is_made() -> None:
    assert not traces.is_tracing()
    with traces.span("anything", CALL, characters=1):
        pass
    traces.record(CALL, spans_of(JOURNAL))
