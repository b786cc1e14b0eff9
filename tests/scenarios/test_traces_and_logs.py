"""A whole call leaves one trace over line and brain, and logs that name nobody, whatever fails in it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.captured_logs import captured_logs
from voicebot.call.runner import DialOrder
from voicebot.domain.journal import Fact
from voicebot.domain.outcome import Disposition
from voicebot.telemetry import traces
from voicebot.telephony.leg import Answered, Ringing

from .people import Debtor
from .stage import CASE, Stage
from .test_reminder_calls import PROMISES

CALL, NUMBER = "5ce0a1105ce0a1105ce0", "13912345678"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    with captured_logs("DEBUG") as out:
        yield out


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    made = InMemorySpanExporter()
    traces.setup_traces(None, "stage", exporter=made)
    yield made
    traces.setup_traces(None, "stage")


def gossip(stage: Stage, call_id: str, fact: Fact) -> None:
    """A call book that fails on every fact and tells everybody what it knows."""
    stage.facts.append(fact)
    assert stage.debtor is not None
    stage.debtor.notice(fact)
    raise ValueError(f"{CASE.debtor.name} {NUMBER} owes {CASE.amount_fen / 100:.2f}元: {dict(fact.data)}")


async def promised(stage: Stage, debtor: Debtor) -> None:
    stage.debtor = debtor
    await stage.runner.dial(DialOrder(CALL, f"sip:{NUMBER}@home", "reminder", CASE, None))
    await stage.loop.settle()
    assert stage.leg is not None
    stage.leg.tell(Ringing(180))
    await stage.pass_time(0.5)
    stage.leg.tell(Answered())
    await stage.play()


def test_one_trace_and_nobody_named(
    perform: Callable[..., Stage],
    debtor: Callable[..., Debtor],
    log: io.StringIO,
    exporter: InMemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Stage, "fact", gossip)
    stage = perform(lambda stage: promised(stage, debtor(answers=PROMISES)))
    assert stage.outcome is not None and stage.outcome.disposition is Disposition.PROMISE_TO_PAY, stage.story()
    _one_trace(stage, exporter)
    _nobody_named(log.getvalue())


def _one_trace(stage: Stage, exporter: InMemorySpanExporter) -> None:
    spans = exporter.get_finished_spans()
    assert {f"{span.context.trace_id:032x}" for span in spans} == {traces.trace_id_of(CALL)}
    assert stage.facts[0].data["trace_id"] == traces.trace_id_of(CALL)
    names = [span.name for span in spans]
    assert names.count("call") == 1 and names.count("talk") == 1 and names.count("understand") >= 4
    assert {"start the conversation", "seal evidence", "turn", "bot speaks", "ringing"} <= set(names)
    told = "".join(span.to_json() for span in spans)
    assert CASE.debtor.name not in told and NUMBER not in told and "最近手头" not in told


def _nobody_named(told: str) -> None:
    lines = [json.loads(line) for line in told.splitlines()]
    of_the_call = [line for line in lines if line.get("call_id") == CALL]
    assert len(of_the_call) >= 3 and all(line["trace_id"] == traces.trace_id_of(CALL) for line in of_the_call)
    assert "李**" in told and "139****5678" in told  # it was told of, and masked
    digits = re.sub(r"\D", "", told)
    assert CASE.debtor.name not in told and NUMBER not in digits and "12345678" not in digits
    assert "1268" not in told and "四三二一" not in told
