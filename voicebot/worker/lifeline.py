"""Lifeline: how a process of the tree begins and ends: with its supervisor, by SIGTERM, or at once without settings."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
import uvloop

from voicebot.config import Settings, SettingsError, load_settings
from voicebot.telemetry.logs import setup_logs
from voicebot.telemetry.traces import TracesError, end_traces, setup_traces

_PR_SET_PDEATHSIG = 1

log = structlog.get_logger(__name__)


def run_process(work: Callable[[Settings, asyncio.Event], Awaitable[None]]) -> int:
    """Be a process of the tree: `work(settings, stop)`; SIGTERM sets `stop`. The exit code, 2 for bad settings."""
    end_with_parent()
    setup_logs()
    try:
        settings = load_settings()
        setup_traces(settings.otlp_endpoint, _name(), settings.otlp_share)
    except (SettingsError, TracesError) as error:
        log.error("settings", error=str(error))
        return 2

    async def until_told() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await work(settings, stop)

    try:
        uvloop.run(until_told())
    finally:
        end_traces()
    return 0


def _name() -> str:
    """What this process is, from the module that was run: line, brain, control, softphone."""
    run = Path(sys.argv[0])
    return (run.parent.name if run.stem == "process" else run.stem).removesuffix("_process")


def end_with_parent() -> None:
    """Ask the kernel for SIGTERM when our parent dies (Linux, prctl(2)); elsewhere nothing happens."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), signal.SIGTERM)


def database_url() -> str:
    """The database that the supervisor opened for us."""
    return os.environ["VOICEBOT_DATABASE_URL"]
