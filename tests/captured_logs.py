"""What is logged while a test runs, as JSON lines, without leaving the set-up behind."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from voicebot.telemetry.logs import setup_logs


@contextmanager
def captured_logs(level: str) -> Iterator[io.StringIO]:
    """Logs of `level` and above."""
    root = logging.getLogger()
    handlers, before = root.handlers[:], root.level
    out = io.StringIO()
    setup_logs(level, as_json=True, stream=out)
    yield out
    root.handlers[:] = handlers
    root.setLevel(before)
    structlog.reset_defaults()
