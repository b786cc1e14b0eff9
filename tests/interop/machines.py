"""Machines: a control and workers of one fleet as operators start them, each below a folder of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from tests.prompts import share_prompts
from voicebot.domain.fleet import WorkerSeen
from voicebot.store import Store

from .installation import ROOT, Recording, free_port

READY_WITHIN_S = 150.0


class Machine:
    """`voicebot worker` or `voicebot control` under a name."""

    def __init__(self, command: str, name: str, database: str, place: int) -> None:
        self.command, self.name, self.database, self._place = command, name, database, place
        self.home = Path(tempfile.mkdtemp(prefix=f"vb-{name}-"))
        share_prompts(self.home)
        self.sip = ("127.0.0.1", free_port(socket.SOCK_DGRAM))
        self.http = ("127.0.0.1", free_port(socket.SOCK_STREAM))
        self.log = self.home / "machine.log"
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, again where it has ended."""
        first = 24000 + os.getpid() % 20 * 300 + 100 * self._place
        settings = {
            "VOICEBOT_HOME": str(self.home),
            "VOICEBOT_SIP_LISTEN": f"{self.sip[0]}:{self.sip[1]}",
            "VOICEBOT_HTTP_LISTEN": f"{self.http[0]}:{self.http[1]}",
            "VOICEBOT_MOST_LATE_MS": "1000",  # however slow this machine is just now
            "VOICEBOT_RTP_PORTS": f"{first}-{first + 99}",
            "VOICEBOT_DRAIN_SECONDS": "60",
            "PYTHONPATH": str(ROOT),
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "voicebot.cli", self.command, "--database", self.database, "--name", self.name],
                env={**os.environ, **settings},
                cwd=self.home,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.process

    @property
    def uri(self) -> str:
        return f"sip:reception@{self.sip[0]}:{self.sip[1]}"

    def said(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])

    def die(self) -> None:
        """As when the power fails: all its processes at once, without a word."""
        for pid in [*self._children(), self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def _children(self) -> Iterator[int]:
        for status in Path("/proc").glob("[0-9]*/status"):
            with contextlib.suppress(OSError, StopIteration):
                parent = next(line for line in status.read_text().splitlines() if line.startswith("PPid:"))
                if int(parent.split()[1]) == self.process.pid:
                    yield int(status.parent.name)

    def recordings(self) -> dict[str, Recording]:
        """All calls that were recorded here so far, by id."""
        folders = (self.home / "recordings").glob("*/*/*/*")
        return {folder.name: Recording(folder) for folder in folders if folder.is_dir()}

    async def recording(self, but: set[str], within_s: float = 20.0) -> Recording:
        """The call that began here beside those."""
        until = time.monotonic() + within_s
        while not (fresh := self.recordings().keys() - but):
            assert time.monotonic() < until, f"no call began on {self.name}:\n{self.said()}"
            await asyncio.sleep(0.05)
        return self.recordings()[fresh.pop()]

    def stop(self) -> int:
        """SIGTERM, which drains; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)

    def close(self) -> None:
        if self.process.poll() is None:
            self.die()
        shutil.rmtree(self.home, ignore_errors=True)


class Machines:
    """The machines of a fleet and its database."""

    def __init__(self, database: str, store: Store, control: Machine, workers: list[Machine]) -> None:
        self.database, self.store, self.control, self.workers = database, store, control, workers

    async def seen(self, worker: str) -> WorkerSeen | None:
        return next((one for one in await self.store.workers.all() if one.name == worker), None)

    async def until(self, worker: str, wanted: Callable[[WorkerSeen], bool], within_s: float = 60.0) -> WorkerSeen:
        """Wait until the fleet sees a worker so."""
        until = time.monotonic() + within_s
        while (one := await self.seen(worker)) is None or not wanted(one):
            assert time.monotonic() < until, f"{worker} is {one}:\n" + "\n".join(m.said() for m in self.workers)
            await asyncio.sleep(0.1)
        return one

    async def ready(self) -> None:
        """Wait until all take calls."""
        for machine in self.workers:
            await self.until(f"{machine.name}-0", lambda one: one.living and one.may_dial, READY_WITHIN_S)

    def order(self, *words: str) -> str:
        """Run `voicebot …` as an operator anywhere does; what it said. AssertionError where it fails."""
        environment = {**os.environ, "VOICEBOT_DATABASE_URL": self.database, "VOICEBOT_HOME": str(self.control.home),
                       "PYTHONPATH": str(ROOT)}  # fmt: skip
        done = subprocess.run([sys.executable, "-m", "voicebot.cli", *words], env=environment, capture_output=True,
                              text=True, timeout=120)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextlib.asynccontextmanager
async def machines(database: str, *names: str) -> AsyncIterator[Machines]:
    """A control and workers of these names, ready for calls; all are stopped at the end, and must have lived."""
    started = [Machine("control", "leitung", database, 0)]
    try:
        started += [Machine("worker", name, database, place) for place, name in enumerate(names)]
        async with Store.from_url(database) as store:
            fleet = Machines(database, store, started[0], started[1:])
            await fleet.ready()
            yield fleet
        codes = await asyncio.gather(*(asyncio.to_thread(machine.stop) for machine in started))
        assert set(codes) == {0}, "\n".join(machine.said() for machine in started)
    finally:
        for machine in started:
            machine.close()
