"""Traces: what each process did for one call, as spans of one trace that is found by the call's id.

The trace and its root are reckoned from the call's id. So control, line and brain need not hand anything on to each
other, and a call of last year still names its trace. Without VOICEBOT_OTLP_ENDPOINT nothing of this costs anything.
"""

from __future__ import annotations

import contextlib
import contextvars
import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

Attribute = str | bool | int | float
Attributes = Mapping[str, Attribute]


class TracesError(ValueError):
    """Traces are wanted and can't be made; the message says what to install or correct."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened within a span."""

    name: str
    at: dt.datetime
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span that is over. `root`: it is the call itself, and all others hang below it."""

    name: str
    begin: dt.datetime
    end: dt.datetime
    attributes: Attributes = field(default_factory=dict)
    moments: Sequence[Moment] = ()
    root: bool = False


def trace_id_of(call_id: str) -> str:
    """The trace of a call, 32 hexadecimal digits (W3C Trace Context)."""
    return _digest(call_id)[:16].hex()


class Traces:
    """Makes spans and gives them to an exporter. `share` of all calls is traced, the same ones in every process."""

    def __init__(self, provider: TracerProvider, ids: contextvars.ContextVar[tuple[int, int] | None], share: float):
        self._provider = provider
        self._tracer = provider.get_tracer("voicebot")
        self._ids = ids
        self._below = round(share * (1 << 64))

    def wants(self, call_id: str) -> bool:
        return int.from_bytes(_digest(call_id)[8:16]) < self._below

    @contextlib.contextmanager
    def span(self, name: str, call_id: str, attributes: Attributes) -> Iterator[None]:
        with self._tracer.start_as_current_span(
            name, context=_under(call_id), attributes={"call_id": call_id, **attributes}, set_status_on_exception=True,
            record_exception=False,
        ):  # fmt: skip
            yield

    def record(self, call_id: str, stretch: Stretch) -> None:
        from opentelemetry.context import Context

        told = {"call_id": call_id, **stretch.attributes}
        self._ids.set(_root_ids(call_id) if stretch.root else None)
        under = Context() if stretch.root else _under(call_id)
        span = self._tracer.start_span(stretch.name, context=under, attributes=told, start_time=_ns(stretch.begin))
        self._ids.set(None)
        for moment in stretch.moments:
            span.add_event(moment.name, dict(moment.attributes), timestamp=_ns(moment.at))
        span.end(end_time=max(_ns(stretch.begin), _ns(stretch.end)))

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


_traces: Traces | None = None


def setup_traces(endpoint: str | None, process: str, share: float = 1.0, exporter: SpanExporter | None = None) -> None:
    """Send spans of this process to an OTLP collector at `endpoint` (http://host:4318), or to `exporter`.

    TracesError where the extra `traces` is not installed.
    """
    global _traces
    if endpoint is None and exporter is None:
        _traces = None
        return
    try:
        from voicebot.telemetry.trace_export import provider_for
    except ImportError as missing:
        raise TracesError(
            f"VOICEBOT_OTLP_ENDPOINT needs the extra: pip install 'voicebot[traces]' ({missing})"
        ) from missing
    ids: contextvars.ContextVar[tuple[int, int] | None] = contextvars.ContextVar("ids", default=None)
    _traces = Traces(provider_for(endpoint, process, ids, exporter), ids, share)


def end_traces() -> None:
    """Send what is left and trace no more."""
    global _traces
    if _traces is not None:
        _traces.close()
    _traces = None


def span(name: str, call_id: str, **attributes: Attribute) -> AbstractContextManager[None]:
    """Time what happens within the block as part of a call. Attributes never hold what finds a person."""
    if _traces is None or not _traces.wants(call_id):
        return nullcontext()
    return _traces.span(name, call_id, attributes)


def record(call_id: str, stretches: Sequence[Stretch]) -> None:
    """Tell of what is over already."""
    if _traces is None or not _traces.wants(call_id):
        return
    for stretch in stretches:
        _traces.record(call_id, stretch)


def is_tracing() -> bool:
    return _traces is not None


def _digest(call_id: str) -> bytes:
    return hashlib.sha256(b"voicebot call " + call_id.encode("utf-8", "surrogatepass")).digest()


def _root_ids(call_id: str) -> tuple[int, int]:
    digest = _digest(call_id)
    return int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])


def _under(call_id: str) -> Context:
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    trace, root = _root_ids(call_id)
    there = SpanContext(trace, root, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(there), Context())


def _ns(at: dt.datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000
