"""Trace export: OpenTelemetry's own provider with ids that are reckoned from calls; needs the extra `traces`."""

from __future__ import annotations

import contextvars

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator

from voicebot import __version__

Ids = contextvars.ContextVar[tuple[int, int] | None]


class _ReckonedIds(IdGenerator):
    """Trace and span of the call's root where they are set, else by chance."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._chance = RandomIdGenerator()

    def generate_trace_id(self) -> int:
        ids = self._ids.get()
        return ids[0] if ids else self._chance.generate_trace_id()

    def generate_span_id(self) -> int:
        ids = self._ids.get()
        return ids[1] if ids else self._chance.generate_span_id()


def provider_for(endpoint: str | None, process: str, ids: Ids, exporter: SpanExporter | None) -> TracerProvider:
    """A provider that sends in batches over HTTP, or hands each span to `exporter` at once."""
    resource = Resource.create({"service.name": f"voicebot-{process}", "service.version": __version__})
    provider = TracerProvider(resource=resource, id_generator=_ReckonedIds(ids))
    if exporter is not None:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    elif endpoint is not None:
        address = endpoint.rstrip("/")
        address = address if address.endswith("/v1/traces") else f"{address}/v1/traces"
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=address, timeout=5)))
    return provider
