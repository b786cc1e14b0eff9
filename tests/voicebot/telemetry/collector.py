"""Collector: takes OpenTelemetry traces over HTTP and keeps them; decoded by OpenTelemetry's own definitions."""

from __future__ import annotations

import contextlib
import gzip
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Collected:
    """One span. `trace`: 32 hexadecimal digits; `parent`: 16, "" for a root."""

    service: str
    name: str
    trace: str
    span: str
    parent: str
    raw: str


class _Taker(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        taken: list[bytes] = self.server.taken  # type: ignore[attr-defined]
        taken.append(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None: ...


class Collector:
    def __init__(self, server: ThreadingHTTPServer) -> None:
        self._server = server
        self.endpoint = f"http://127.0.0.1:{server.server_port}"

    def spans(self) -> list[Collected]:
        found = []
        for body in list(self._server.taken):  # type: ignore[attr-defined]
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                names = {one.key: one.value.string_value for one in resource.resource.attributes}
                for one in (span for scope in resource.scope_spans for span in scope.spans):
                    ids = one.trace_id.hex(), one.span_id.hex(), one.parent_span_id.hex()
                    found.append(Collected(names["service.name"], one.name, *ids, raw=str(one)))
        return found


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Taker)
    server.taken = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Collector(server)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
