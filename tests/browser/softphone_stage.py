"""What the softphone tests play on: the gateway in a process of its own, and somebody with a telephone who rings."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psycopg

from tests.interop.installation import free_port
from tests.interop.phone import Phone
from tests.voicebot.console.served import ROOT, Served

Result = TypeVar("Result")
RATE = 8000


class Caller:
    """A telephone on a loop of its own; its methods wait, as the browser's tests do."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.phone = self.run(self._start())

    def run(self, work: Coroutine[Any, Any, Result], within_s: float = 30.0) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(within_s)

    async def _start(self) -> Phone:
        phone = Phone()
        await phone.agent.start()
        phone._wheel.start()
        return phone

    def dial(self, uri: str) -> None:
        """Ring, and return at once."""
        self._dialling = asyncio.run_coroutine_threadsafe(self.phone.dial(uri, 30.0), self._loop)

    def answered(self) -> Any:
        """None once it was answered; the end of the call if it was not."""
        return self._dialling.result(30.0)

    def ended(self) -> Any:
        return self.run(self.phone.ended(20.0))

    def hang_up(self) -> None:
        self.run(self.phone.hang_up())

    def say_tone(self, hz: float, seconds: float) -> None:
        t = np.arange(int(RATE * seconds)) / RATE
        self.phone.handset.say((8000 * np.sin(2 * np.pi * hz * t)).astype("<i2").tobytes())

    def strength(self, hz: float, seconds: float = 0.5) -> float:
        """Amplitude of a tone in what was heard last."""
        return strength(bytes(self.phone.handset.heard), hz, seconds)

    def hears(self, hz: float, within_s: float = 10.0) -> float:
        """Wait for a tone; seconds until it was there."""
        began = time.monotonic()
        while self.strength(hz, 0.1) < 2000:
            assert time.monotonic() - began < within_s, f"{hz} Hz is not heard within {within_s} s"
            time.sleep(0.01)
        return time.monotonic() - began

    def close(self) -> None:
        async def stop() -> None:
            await self.phone.agent.close()
            self.phone._wheel.stop()

        self.run(stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)


class Gateway:
    """The softphone gateway beside a console, in a process of its own as `voicebot serve` runs it."""

    def __init__(self, console: Served) -> None:
        self._home = console.recordings.parent
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "VOICEBOT_HOME": str(self._home),
            "VOICEBOT_DATABASE_URL": console.database,
            "VOICEBOT_SOFTPHONE_LISTEN": f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}",
        }
        self._start()

    def _start(self) -> None:
        with (self._home / "softphone.log").open("ab") as log:
            command = [sys.executable, "-m", "voicebot.softphone.process", "lines"]
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )
        while not (self._home / "softphone.sock").exists():
            assert self._process.poll() is None, self.log()
            time.sleep(0.05)

    def die_and_come_back(self) -> None:
        """As when the supervisor starts a killed one again."""
        self._process.kill()
        self._process.wait()
        (self._home / "softphone.sock").unlink()
        self._start()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(60) == 0, self.log()

    def log(self) -> str:
        return (self._home / "softphone.log").read_text(errors="replace")


def give_agent(console: Served, agent_id: str, username: str) -> None:
    """An agent with a desk phone, and an account that is at their telephone."""
    with psycopg.connect(console.database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO agents (id, name, sip_uri, presence) VALUES (%s, '王芳', 'sip:1001@192.0.2.5', 'ready')",
            [agent_id],
        )
        connection.execute("UPDATE users SET agent_id = %s WHERE username = %s", [agent_id, username])


def agent(console: Served, agent_id: str) -> tuple[str, str, str]:
    """Address, device and presence."""
    with psycopg.connect(console.database) as connection:
        row = connection.execute("SELECT sip_uri, device, presence FROM agents WHERE id = %s", [agent_id]).fetchone()
    assert row is not None
    return str(row[0]), str(row[1]), str(row[2])


def tone_file(path: Path, hz: float, seconds: float = 2.0) -> Path:
    """A sine of whole periods, so that it can be played in a loop; 48 kHz, mono."""
    t = np.arange(int(48_000 * seconds)) / 48_000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes((9000 * np.sin(2 * np.pi * hz * t)).astype("<i2").tobytes())
    return path


def strength(pcm: bytes, hz: float, seconds: float = 0.5) -> float:
    """Amplitude of one frequency at the end of s16le mono 8 kHz."""
    heard = np.frombuffer(pcm[-int(RATE * seconds) * 2 :], "<i2").astype(float)
    if not heard.size:
        return 0.0
    return float(2 * abs(np.mean(heard * np.exp(-2j * np.pi * hz * np.arange(heard.size) / RATE))))
