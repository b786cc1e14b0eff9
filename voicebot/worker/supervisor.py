"""Supervisor: keeps child processes alive, and ends them in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

FAST_DEATH_S = 5.0
"""A child that dies sooner than this after its start is restarted with a growing pause."""
LONGEST_PAUSE_S = 10.0
KILL_AFTER_S = 15.0


@dataclass(slots=True)
class Child:
    """One process of the tree: `module` is run with `arguments`; `patience_s` after SIGTERM it is killed."""

    name: str
    module: str
    arguments: Sequence[str] = ()
    patience_s: float = KILL_AFTER_S
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0
    stopping: bool = False
    _pause_s: float = field(default=0.0, repr=False)


def next_pause_s(pause_s: float, lived_s: float) -> float:
    """How long to wait before a child that lived `lived_s` is started again, after `pause_s` the last time."""
    return min(LONGEST_PAUSE_S, pause_s * 2 + 0.2) if lived_s < FAST_DEATH_S else 0.0


class Supervisor:
    """Starts children, restarts those that die, and stops them when told to.

    `log_file`: where the children's standard error goes; None leaves it where ours goes.
    """

    def __init__(self, environment: Mapping[str, str], log_file: Path | None = None) -> None:
        self._environment = {**os.environ, **environment}
        self._log_file = log_file
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self.children: dict[str, Child] = {}

    def start(self, child: Child) -> None:
        """Start a child and keep it alive from now on."""
        self.children[child.name] = child
        self._watchers[child.name] = asyncio.create_task(self._keep(child))

    async def stop(self, *groups: Sequence[str]) -> None:
        """SIGTERM to the children of the first group together, and when they are gone to the next group.

        From now on a child of any group that ends by itself is not started again.
        """
        for name in (name for group in groups for name in group):
            self.children[name].stopping = True
        for group in groups:
            await asyncio.gather(*(self._stop(self.children[name]) for name in group))

    async def _keep(self, child: Child) -> None:
        while not child.stopping:
            started = time.monotonic()
            try:
                child.process = await self._spawn(child)
            except OSError as error:  # no memory, no more processes, a full disk: for now
                child._pause_s = next_pause_s(child._pause_s, 0.0)
                log.error("a process can't be started, trying again", process=child.name, error=str(error))
                await asyncio.sleep(child._pause_s)
                continue
            code = await child.process.wait()
            if child.stopping:
                return
            child.restarts += 1
            lived_s = time.monotonic() - started
            child._pause_s = next_pause_s(child._pause_s, lived_s)
            log.error("a process died, starting it again", process=child.name, code=code, lived_s=round(lived_s, 1))
            await asyncio.sleep(child._pause_s)

    async def _spawn(self, child: Child) -> asyncio.subprocess.Process:
        with contextlib.ExitStack() as stack:
            log_to = stack.enter_context(self._log_file.open("ab")) if self._log_file else None
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                child.module,
                *child.arguments,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stderr=log_to,
                start_new_session=True,
            )

    async def _stop(self, child: Child) -> None:
        child.stopping = True
        process, watcher = child.process, self._watchers[child.name]
        if process is None or process.returncode is not None:
            watcher.cancel()
        else:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), child.patience_s)
            except TimeoutError:
                log.error("a process does not end, killing it", process=child.name)
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
        await asyncio.gather(watcher, return_exceptions=True)
