"""PyVoipEngine: starts the pyVoIP process, watches it, ends it when it hangs and starts it again."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping

import structlog

from voicebot.config import SettingsError
from voicebot.telephony.pyvoip_wire import Kind, Message, Reader, WireError, message

log = structlog.get_logger(__name__)

PING_EVERY_S = 0.5
HUNG_AFTER_S = 3.0
"""A process that answers no ping for so long is ended."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 30.0
STOPPED_WITHIN_S = 2.0


class EngineMissing(SettingsError):
    """pyVoIP is not installed; the message says how to get it."""


def require_pyvoip() -> None:
    """Raise EngineMissing where the extra is not installed."""
    if importlib.util.find_spec("pyVoIP") is None:
        raise EngineMissing("VOICEBOT_LINE_ENGINE=pyvoip needs pyVoIP: install voicebot with the extra [pyvoip]")


class PyVoipEngine:
    """`on_message` hears what the process says; `on_lost(why)` that it is gone with all its calls."""

    def __init__(
        self, settings: Mapping[str, str], on_message: Callable[[Message], None], on_lost: Callable[[str], None]
    ) -> None:
        self._environment = {f"PYVOIP_{name.upper()}": value for name, value in settings.items()}
        self._on_message, self._on_lost = on_message, on_lost
        self._writer: asyncio.StreamWriter | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._heard_at = 0.0
        self._why = ""
        self._task: asyncio.Task[None] | None = None
        self.restarts = 0

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Let it hang up and leave the registrar; then it is ended."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.say(message(Kind.STOP))
        if self._process is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), STOPPED_WITHIN_S)
        await self._end()

    def say(self, said: Message) -> None:
        """Dropped while there is no process."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(said.encode())

    def restart(self, why: str) -> None:
        """End the process at once; it is started again, without its calls."""
        self._why = why
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _keep(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            began = time.monotonic()
            try:
                await self._live()
            except (OSError, WireError) as error:
                log.warning("the pyVoIP process can't be heard", error=repr(error))
            finally:
                await self._end()
            why, self._why = self._why or "the pyVoIP process ended", ""
            log.error("the pyVoIP process is started again", why=why)
            self._on_lost(why)
            self.restarts += 1
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S) if time.monotonic() - began < 10 else FIRST_PAUSE_S
            await asyncio.sleep(pause_s)

    async def _live(self) -> None:
        """One life of the process, from its start to its end."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "voicebot.telephony.pyvoip_process", str(theirs.fileno()),
                pass_fds=(theirs.fileno(),), env={**os.environ, **self._environment}, stdin=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self._heard_at = time.monotonic() + HUNG_AFTER_S  # it takes a while to begin
        watch = asyncio.create_task(self._watch())
        try:
            messages = Reader()
            while data := await reader.read(65536):
                self._heard_at = max(self._heard_at, time.monotonic())
                for one in messages.feed(data):
                    if one.kind is not Kind.PONG:
                        self._on_message(one)
        finally:
            watch.cancel()

    async def _watch(self) -> None:
        while time.monotonic() - self._heard_at < HUNG_AFTER_S:
            self.say(message(Kind.PING))
            await asyncio.sleep(PING_EVERY_S)
        self.restart("the pyVoIP process hung")

    async def _end(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
