"""Installation: `voicebot serve` as an operator runs it, in processes of its own, with everything below one folder."""

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
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from tests.prompts import share_prompts
from voicebot.domain.clock import SystemClock
from voicebot.domain.journal import Fact, FactKind
from voicebot.evidence.reading import read_journal
from voicebot.evidence.verify import verify_bundle
from voicebot.store import Store
from voicebot.telephony.probe import probe

from .certificate import Certificate
from .peers import find

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 120.0
MOST_CALLS = 3
"""Calls at once; small, so that a test can fill it."""
KNOWN_PEER, UNKNOWN_PEER = "127.0.0.1", "127.0.0.2"


class Installation:
    """A running `voicebot serve`. Only KNOWN_PEER may call it."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="vb-"))
        share_prompts(self.home)
        self.sip = ("127.0.0.1", free_port(socket.SOCK_DGRAM))
        self.http = ("127.0.0.1", free_port(socket.SOCK_STREAM))
        self.tls = ("127.0.0.1", free_port(socket.SOCK_STREAM))
        self.certificate = Certificate(self.home) if find("openssl") else None
        self.log = self.home / "serve.log"
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        first = 20000 + os.getpid() % 90 * 100
        settings = {
            "VOICEBOT_HOME": str(self.home),
            "VOICEBOT_SIP_LISTEN": _joined(self.sip),
            "VOICEBOT_HTTP_LISTEN": _joined(self.http),
            "VOICEBOT_ALLOWED_PEERS": f"{KNOWN_PEER}/32",
            "VOICEBOT_MAX_CALLS": str(MOST_CALLS),
            "VOICEBOT_MOST_LATE_MS": "1000",  # the number alone limits, however slow this machine is just now
            "VOICEBOT_RTP_PORTS": f"{first}-{first + 99}",
            "VOICEBOT_DRAIN_SECONDS": "60",
            "VOICEBOT_SIP_TCP": "1",
            "PYTHONPATH": str(ROOT),
        }
        if self.certificate is not None:
            settings |= {
                "VOICEBOT_SIP_TLS_LISTEN": _joined(self.tls),
                "VOICEBOT_TLS_CERTIFICATE": str(self.certificate.certificate),
                "VOICEBOT_TLS_KEY": str(self.certificate.key),
                "VOICEBOT_TLS_CA": str(self.certificate.certificate),
            }
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "voicebot.cli", "serve"],
                env={**os.environ, **settings},
                cwd=self.home,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def uri(self) -> str:
        return f"sip:reception@{_joined(self.sip)}"

    @property
    def tls_uri(self) -> str:
        return f"sip:reception@{_joined(self.tls)};transport=tls"

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def said(self) -> str:
        """The end of the log, for a failure's message."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])

    async def ready(self, within_s: float = READY_WITHIN_S) -> float:
        """Wait until a call would be taken; seconds that took."""
        began = time.monotonic()
        while await probe(self.sip, 0.5) != 200:
            assert self.alive, f"voicebot serve ended early:\n{self.said()}"
            assert time.monotonic() - began < within_s, f"not ready within {within_s} s:\n{self.said()}"
            await asyncio.sleep(0.1)
        return time.monotonic() - began

    def pid_of(self, module: str) -> int:
        """The process that runs a module, such as `line_process`."""
        for status in Path("/proc").glob("[0-9]*/status"):
            with contextlib.suppress(OSError):
                parent = next(line for line in status.read_text().splitlines() if line.startswith("PPid:"))
                command = (status.parent / "cmdline").read_bytes()
                if int(parent.split()[1]) == self.process.pid and module.encode() in command:
                    return int(status.parent.name)
        raise LookupError(f"no process runs {module}")

    @property
    def database_url(self) -> str:
        """Where its embedded database is, as its own processes are told."""
        told = Path(f"/proc/{self.pid_of('line_process')}/environ").read_bytes().split(b"\0")
        return next(line.split(b"=", 1)[1].decode() for line in told if line.startswith(b"VOICEBOT_DATABASE_URL="))

    async def send_agents_home(self) -> None:
        """Nobody is there to take a transfer, whoever was hired by another test."""
        async with Store.from_url(self.database_url) as store:
            for agent in await store.agents.all():
                await store.agents.set_presence(agent.id, "offline", SystemClock().now())

    async def refuses(self, status: int, within_s: float) -> bool:
        """Wait until calls are refused with this status."""
        for _ in range(round(within_s / 0.1)):
            if await probe(self.sip, 0.5) == status:
                return True
            await asyncio.sleep(0.1)
        return False

    def kill(self, module: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Signal a process; its process id."""
        pid = self.pid_of(module)
        os.kill(pid, number)
        return pid

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def ended(self, within_s: float) -> int:
        """The exit code."""
        return await asyncio.to_thread(self.process.wait, within_s)

    def recordings(self) -> set[Path]:
        """Folders of all calls so far."""
        return {path for path in (self.home / "recordings").glob("*/*/*/*") if path.is_dir()}

    @contextlib.asynccontextmanager
    async def recording(self) -> AsyncIterator[Callable[[], Recording]]:
        """The call that begins inside the block: `async with installation.recording() as recording: … recording()`."""
        before = self.recordings()

        def fresh() -> Recording:
            (folder,) = self.recordings() - before
            return Recording(folder)

        yield fresh

    def close(self) -> None:
        """Stop what is left of it."""
        if self.alive:
            self.terminate()
            try:
                self.process.wait(90)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)


class Recording:
    """What one call left behind, while it runs and after."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def bundle(self) -> Path:
        return self.folder / f"{self.folder.name}.zip"

    def facts(self) -> list[Fact]:
        return read_journal(self.folder)

    def of(self, kind: FactKind) -> list[Fact]:
        return [fact for fact in self.facts() if fact.kind is kind]

    async def has(self, kind: FactKind, within_s: float = 20.0, **data: object) -> Fact:
        """Wait for a fact of this kind with these data."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            for fact in self.of(kind):
                if data.items() <= dict(fact.data).items():
                    return fact
            await asyncio.sleep(0.05)
        raise AssertionError(f"no {kind} {data} within {within_s} s; the journal: {self.story()}")

    async def sealed(self, within_s: float = 20.0) -> Path:
        """Wait for the bundle, and hold it against its own proof."""
        deadline = time.monotonic() + within_s
        while not self.bundle.exists():
            assert time.monotonic() < deadline, f"not sealed within {within_s} s; the journal: {self.story()}"
            await asyncio.sleep(0.1)
        assert verify_bundle(self.bundle).failures == ()
        return self.bundle

    def story(self) -> str:
        return "\n".join(f"{fact.ms:6} {fact.kind.value} {dict(fact.data)}" for fact in self.facts())


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def media_ports() -> tuple[int, int]:
    """First and last UDP port for media of this process's stations: two runs of tests at once keep apart."""
    first = 40000 + 3000 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 2)
    return first, first + 2998


def _joined(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"
